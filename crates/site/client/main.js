// Starts the client: pages by address, the session, the stream of notifications, and what is said when offline.

import { alertError, clearAlerts } from './announce.js';
import { fill, h } from './dom.js';
import { relativeTime } from './format.js';
import { startInbox } from './inbox.js';
import { forgetAll } from './posts.js';
import { emptyPanel } from './region.js';
import { restart, startRouter } from './router.js';
import { isSignedIn, session } from './session.js';
import { drawShell, markCurrent } from './shell.js';
import { newestFeedView, rankedFeedView } from './views/feed.js';
import { notificationsView } from './views/notifications.js';
import { followListView, personView } from './views/person.js';
import { postView } from './views/post.js';
import { searchView } from './views/search.js';
import { settingsView } from './views/settings.js';
import { signInView, signUpView, welcomeView } from './views/sign-in.js';

const forUsers = (view) => (context) => (isSignedIn() ? view(context) : signInView({ query: new URLSearchParams({ next: location.pathname }) }));

const ROUTES = [
  [/^\/$/, (context) => (isSignedIn() ? rankedFeedView(context) : welcomeView(context))],
  [/^\/newest$/, forUsers(newestFeedView)],
  [/^\/notifications$/, forUsers(notificationsView)],
  [/^\/search$/, forUsers(searchView)],
  [/^\/settings$/, forUsers(settingsView)],
  [/^\/signin$/, signInView],
  [/^\/signup$/, signUpView],
  [/^\/post\/([^/]+)$/, postView],
  [/^\/people\/([^/]+)$/, personView],
  [/^\/people\/([^/]+)\/(followers|following)$/, followListView],
];

function notFound() {
  return { title: 'Not found', node: h('div', {}, h('h1', { class: 'visually-hidden' }, 'Not found'), emptyPanel('There is no page here', 'Check the address, or start at the first page.')) };
}

function showConnection() {
  const bar = document.getElementById('connection');
  fill(bar, navigator.onLine ? [] : h('p', {}, 'You are offline. What you see may be old.'));
}

// First, so that pages wait for the stream of the session they are drawn for.
startInbox();

session.addEventListener('change', ({ detail: { reason } }) => {
  forgetAll();
  drawShell();
  restart();
  if (reason) alertError(new Error(reason));
});
session.addEventListener('rename', drawShell);
document.addEventListener('grateful:page', markCurrent);
addEventListener('online', () => { showConnection(); clearAlerts(); });
addEventListener('offline', showConnection);

setInterval(() => {
  for (const time of document.querySelectorAll('time')) fill(time, relativeTime(time.dateTime));
}, 60_000);

drawShell();
startRouter(document.getElementById('main'), [...ROUTES, [/.*/, notFound]]);
showConnection();
