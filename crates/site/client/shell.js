// What is around every page: the name, the navigation with the unread number, and people and posts to discover.

import { announce } from './announce.js';
import { get } from './api.js';
import { fill, h, hiddenText, icon } from './dom.js';
import { inbox, unreadCount } from './inbox.js';
import { followButton, personPath, personRow } from './people.js';
import { postPath } from './post-card.js';
import { plural } from './format.js';
import { isSignedIn, me } from './session.js';
import { signOut } from './account.js';

let drawn = new AbortController();

const WEEK_HOURS = 168;
const MOST_SUGGESTIONS = 4;
const MOST_LOVED = 3;

/** Draws the header for the user who is signed in now, or for a guest. */
export function drawShell() {
  drawn.abort();
  drawn = new AbortController();
  const brand = h('a', { class: 'brand', href: '/' }, h('span', { class: 'brand-mark' }, icon('heart')), h('span', { class: 'brand-name' }, 'Grateful'));
  inbox.addEventListener('notification', ({ detail }) => announce(detail.message), { signal: drawn.signal });
  fill(document.getElementById('top'), brand, isSignedIn() ? navigation() : guestLinks());
  drawAside();
  markCurrent();
}

function guestLinks() {
  return h('nav', { class: 'guest-links', 'aria-label': 'Account' },
    h('a', { class: 'button button-small button-quiet', href: '/signin' }, 'Sign in'),
    h('a', { class: 'button button-small button-primary', href: '/signup' }, 'Sign up'));
}

function navigation() {
  const count = h('span', { class: 'badge-count', id: 'unread' });
  const draw = (unread) => {
    count.hidden = unread === 0;
    fill(count, unread > 99 ? '99+' : String(unread), hiddenText(' unread'));
  };
  draw(unreadCount());
  inbox.addEventListener('count', ({ detail }) => draw(detail), { signal: drawn.signal });
  return h('nav', { class: 'main-nav', 'aria-label': 'Main' }, h('ul', {},
    item('/', 'home', 'Home'),
    item('/search', 'search', 'Search'),
    item('/notifications', 'bell', 'Notifications', count),
    item(personPath(me().username), 'person', 'Your page'),
    item('/settings', 'settings', 'Settings'),
    h('li', { class: 'nav-out' }, h('button', { type: 'button', class: 'nav-link', onclick: signOut }, icon('out'), h('span', { class: 'nav-label' }, 'Sign out')))));
}

function item(href, iconName, label, extra) {
  return h('li', {}, h('a', { class: 'nav-link', href }, icon(iconName), h('span', { class: 'nav-label' }, label), extra));
}

/** Marks the link of the page that is shown. */
export function markCurrent() {
  for (const link of document.querySelectorAll('.main-nav a')) {
    const path = link.getAttribute('href');
    const isCurrent = path === location.pathname || (path === '/' && location.pathname === '/newest');
    if (isCurrent) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** Only wide screens show it, so only they read it. */
async function drawAside() {
  const aside = document.getElementById('aside');
  fill(aside);
  if (!isSignedIn() || !matchMedia('(min-width: 70rem)').matches) return;
  const mine = me().id;
  const [people, posts] = await Promise.all([
    get(`/follows/suggestions?limit=${MOST_SUGGESTIONS}`).then(({ suggestions }) => suggestions).catch(() => []),
    get(`/posts/trending?window_hours=${WEEK_HOURS}&limit=${MOST_LOVED}`).catch(() => []),
  ]);
  if (me()?.id !== mine) return;
  fill(aside,
    people.length > 0 && h('section', { class: 'card', 'aria-labelledby': 'aside-people' },
      h('h2', { id: 'aside-people' }, 'People you may like'),
      h('ul', { class: 'people' }, people.map((person) =>
        personRow(person, person.mutual_count > 0 && `${plural(person.mutual_count, 'person', 'people')} you follow`, followButton(person, null))))),
    posts.length > 0 && h('section', { class: 'card', 'aria-labelledby': 'aside-posts' },
      h('h2', { id: 'aside-posts' }, 'Loved this week'),
      h('ul', { class: 'loved' }, posts.map((post) => h('li', {},
        h('a', { href: postPath(post.id), dir: 'auto' }, post.title ?? post.content),
        h('p', { class: 'muted' }, `${post.author.name} · ${plural(post.hearts_count, 'heart')}`))))));
}
