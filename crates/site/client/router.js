// Pages by address. A page that was left is kept for the way back, with its scroll position.

import { clearAlerts } from './announce.js';
import { debounce } from './dom.js';

const KEPT_PAGES = 6;
const NAME = 'Grateful';

// By the key of a history entry: `{page, controller, scroll}`.
const kept = new Map();
let outlet;
let routes;
let shownKey = null;

/** Shows the page of the current address in `element`, and from then on those of links. A route is `[pattern, view]`. */
export function startRouter(element, table) {
  outlet = element;
  routes = table;
  history.scrollRestoration = 'manual';
  addEventListener('popstate', () => show({ movesFocus: true }));
  addEventListener('scroll', debounce(100, rememberScroll), { passive: true });
  document.addEventListener('click', followLink);
  show({ movesFocus: false });
}

/** Goes to a path of this site. */
export function navigate(path, { replace = false } = {}) {
  rememberScroll();
  const state = { key: newKey() };
  if (replace) history.replaceState(state, '', path);
  else history.pushState(state, '', path);
  show({ movesFocus: true });
}

/** Drops all kept pages and shows the current one as new, for instance for another user. */
export function restart() {
  for (const entry of kept.values()) entry.controller.abort();
  kept.clear();
  show({ movesFocus: true });
}

function newKey() {
  return `${Date.now()}.${Math.random()}`;
}

function rememberScroll() {
  const entry = kept.get(shownKey);
  if (entry) entry.scroll = scrollY;
}

function show({ movesFocus }) {
  if (!history.state?.key) history.replaceState({ key: newKey() }, '');
  const key = history.state.key;
  shownKey = key;
  const entry = kept.get(key) ?? open(key);
  // The newest last, since the first is dropped first.
  kept.delete(key);
  kept.set(key, entry);
  clearAlerts();
  outlet.replaceChildren(entry.page.node);
  setTitle(entry.page.title);
  dropOldest();
  scrollTo(0, entry.scroll);
  if (movesFocus) focusHeading();
  document.dispatchEvent(new CustomEvent('grateful:page'));
}

function open(key) {
  const controller = new AbortController();
  const page = { title: '', node: null };
  const context = {
    signal: controller.signal,
    query: new URLSearchParams(location.search),
    setTitle(title) {
      page.title = title;
      if (shownKey === key) setTitle(title);
    },
  };
  Object.assign(page, view(location.pathname, context));
  return { page, controller, scroll: 0 };
}

function view(path, context) {
  for (const [pattern, build] of routes) {
    const found = pattern.exec(path.replace(/(.)\/$/, '$1'));
    if (found) return build({ ...context, params: found.slice(1).map(decodeURIComponent) });
  }
  throw new Error(`no route for ${path}`);
}

function setTitle(title) {
  document.title = title ? `${title} · ${NAME}` : NAME;
}

function dropOldest() {
  while (kept.size > KEPT_PAGES) {
    const [key, entry] = kept.entries().next().value;
    entry.controller.abort();
    kept.delete(key);
  }
}

/** A screen reader goes on reading at the heading of the new page. */
function focusHeading() {
  const heading = outlet.querySelector('h1') ?? outlet;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** Goes to a part of the page that is shown, without a new page. */
function focusTarget(hash) {
  const target = document.getElementById(hash.slice(1));
  target?.scrollIntoView();
  target?.focus({ preventScroll: true });
}

function followLink(event) {
  const link = event.target.closest?.('a[href]');
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  // The last route is for every other path: those are not pages of the client.
  const isPage = url.origin === location.origin && routes.slice(0, -1).some(([pattern]) => pattern.test(url.pathname));
  if (!isPage) return;
  event.preventDefault();
  if (url.hash && url.pathname === location.pathname) return focusTarget(url.hash);
  if (url.pathname + url.search === location.pathname + location.search) restart();
  else navigate(url.pathname + url.search);
}
