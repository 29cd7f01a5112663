// The user's notifications: how many are unread, and the stream that says when the list changes.

import { get, post, streamAddress } from './api.js';
import { debounce } from './dom.js';
import { isSignedIn, session } from './session.js';

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
// A browser opens few connections to one server, so tabs in the background give theirs back.
const HIDDEN_MS = 30_000;
const LATE_MS = 500;

/** Events: `notification` and `removed` with the data of the stream, `reset`, and `count` with the unread number. */
export const inbox = new EventTarget();

let unread = 0;
let source = null;
let lastEventId = '';
let wait = FIRST_WAIT_MS;
let timer;
let hiddenTimer;
let attempt = 0;
let opened = Promise.withResolvers();
let isLate = false;

/** Waits until the stream is open, so that a list which is read then misses nothing. A late stream has it read again. */
export const untilOpen = () => opened.promise;

/** Keeps the stream open while a user is signed in and the page is visible. */
export function startInbox() {
  session.addEventListener('change', restart);
  addEventListener('online', reopen);
  addEventListener('offline', close);
  // A browser keeps a page that was left for the way back, with its stream, which would keep one of a few connections.
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => { if (event.persisted) reopen(); });
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) hiddenTimer = setTimeout(close, HIDDEN_MS);
    else if (!source) reopen();
  });
  restart();
}

function restart() {
  close();
  lastEventId = '';
  opened.resolve();
  opened = Promise.withResolvers();
  isLate = false;
  const mine = opened;
  setTimeout(() => { if (mine === opened) goOn(); }, LATE_MS);
  tell('count', 0);
  if (isSignedIn()) {
    countUnread();
    reopen();
  }
}

function reopen() {
  wait = FIRST_WAIT_MS;
  open();
}

function close() {
  attempt += 1;
  clearTimeout(timer);
  source?.close();
  source = null;
}

/** Each ticket opens one stream, so every attempt takes a new one, with the id of the last event. */
async function open() {
  close();
  if (!isSignedIn()) return;
  const mine = attempt;
  try {
    const { ticket } = await post('/notifications/stream/ticket');
    if (mine !== attempt) return;
    connect(ticket);
  } catch {
    if (mine === attempt) retry();
  }
}

function connect(ticket) {
  const query = lastEventId ? { ticket, last_event_id: lastEventId } : { ticket };
  const stream = new EventSource(streamAddress(query));
  source = stream;
  stream.onopen = () => {
    wait = FIRST_WAIT_MS;
    // Without an event to go on from, what happened in the meantime is not sent.
    if (isLate && !lastEventId) tell('reset', {});
    goOn();
    countUnread();
  };
  stream.onerror = () => {
    if (source === stream) retry();
  };
  for (const kind of ['notification', 'removed', 'reset']) {
    stream.addEventListener(kind, (event) => {
      lastEventId = event.lastEventId || lastEventId;
      tell(kind, JSON.parse(event.data));
      countSoon();
    });
  }
}

/** Lets lists be read. If the stream opens after this, they are read again. */
function goOn() {
  isLate = true;
  opened.resolve();
}

function retry() {
  goOn();
  close();
  timer = setTimeout(open, wait * (0.5 + Math.random()));
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

function tell(kind, detail) {
  if (kind === 'count') unread = detail;
  inbox.dispatchEvent(new CustomEvent(kind, { detail }));
}

/** The number of unread notifications, as it was last read. */
export const unreadCount = () => unread;

/** Reads the number of unread notifications from the server. */
export async function countUnread() {
  try {
    tell('count', (await get('/notifications/summary')).unread_count);
  } catch {
    // The number stays as it was; the next event or connection reads it again.
  }
}

const countSoon = debounce(150, countUnread);
