// Notifications, live: a batch is one line that can be opened, and the list changes as the stream says.

import { alertError, announce } from '../announce.js';
import { get, post } from '../api.js';
import { fill, h, hiddenText } from '../dom.js';
import { endlessList } from '../endless.js';
import { absoluteTime, plural, relativeTime } from '../format.js';
import { countUnread, inbox, untilOpen } from '../inbox.js';
import { avatar, personPath, personRow } from '../people.js';
import { postPath } from '../post-card.js';
import { emptyPanel } from '../region.js';

export function notificationsView({ signal }) {
  const list = h('ul', { class: 'notifications', 'aria-label': 'Notifications' });
  const items = new Map();
  const pages = endlessList({
    path: '/notifications',
    after: untilOpen,
    signal,
    list,
    render: (notification) => itemOf(notification).node,
    empty: emptyPanel('Nothing yet', 'Hearts, comments and new followers appear here.'),
    end: 'That is everything.',
  });

  function itemOf(notification) {
    const item = notificationItem(notification, signal);
    items.set(notification.id, item);
    return item;
  }

  inbox.addEventListener('notification', ({ detail: notification }) => {
    const before = items.get(notification.id);
    before?.node.remove();
    pages.forget(notification.id);
    pages.prepend(notification);
    if (before?.isOpen()) items.get(notification.id).open();
  }, { signal });
  inbox.addEventListener('removed', ({ detail: { id } }) => {
    items.get(id)?.node.remove();
    pages.forget(id);
  }, { signal });
  inbox.addEventListener('reset', () => pages.reload(), { signal });

  async function readAll() {
    const before = [...items.values()].filter((item) => item.isUnread());
    for (const item of before) item.setRead(true);
    try {
      await post('/notifications/read-all');
      countUnread();
    } catch (error) {
      for (const item of before) item.setRead(false);
      alertError(error);
    }
  }

  return {
    title: 'Notifications',
    node: h('div', { class: 'stack' },
      h('header', { class: 'page-header' },
        h('h1', {}, 'Notifications'),
        h('button', { type: 'button', class: 'button button-small', onclick: readAll }, 'Mark all as read')),
      followRequests(signal),
      h('section', { class: 'card', 'aria-label': 'All notifications' }, pages.node)),
  };
}

function notificationItem(notification, signal) {
  const { is_batch: isBatch, batch_count: count } = notification;
  let isRead = notification.read;
  const dot = h('span', { class: 'dot' });
  const children = h('div', { class: 'notification-children', hidden: true });
  const toggle = h('button', { type: 'button', class: 'link-button', 'aria-expanded': 'false', onclick: flip }, `Show ${count}`);
  const node = h('li', { class: 'notification', 'data-notification': notification.id, 'data-type': notification.type },
    portraits(notification),
    h('div', { class: 'notification-main' },
      h('p', { class: 'notification-title' }, dot, notification.title),
      h('p', { class: 'notification-message' }, message(notification)),
      notification.data.share_message && h('blockquote', { dir: 'auto' }, notification.data.share_message),
      preview(notification),
      h('p', { class: 'notification-foot muted' },
        h('time', { datetime: notification.last_updated_at, title: absoluteTime(notification.last_updated_at) }, relativeTime(notification.last_updated_at)),
        isBatch && count > 1 && toggle,
        h('button', { type: 'button', class: 'link-button read-button', onclick: read }, 'Mark as read')),
      children));
  node.addEventListener('click', (event) => { if (event.target.closest('a')) read(); });

  function setRead(value) {
    isRead = value;
    node.classList.toggle('is-unread', !value);
    node.querySelector('.read-button').hidden = value;
    fill(dot, value ? [] : hiddenText('Unread: '));
  }

  async function read() {
    if (isRead) return;
    setRead(true);
    try {
      await post(`/notifications/${notification.id}/read`);
      countUnread();
    } catch (error) {
      setRead(false);
      alertError(error);
    }
  }

  function open(isOpen = true) {
    children.hidden = !isOpen;
    toggle.setAttribute('aria-expanded', String(isOpen));
    fill(toggle, isOpen ? 'Hide' : `Show ${count}`);
    if (isOpen) fill(children, childList(notification.id, signal));
  }

  /** What the user opens, they have read. */
  function flip() {
    open(children.hidden);
    if (!children.hidden) read();
  }

  setRead(isRead);
  return { node, setRead, open, isOpen: () => !children.hidden, isUnread: () => !isRead };
}

function childList(id, signal) {
  return endlessList({
    path: `/notifications/${id}/children?limit=20`,
    signal,
    list: h('ul', { class: 'children' }),
    render: (child) => h('li', {},
      avatar({ id: child.from_user.id, image: child.from_user.image }, 'avatar-small'),
      h('div', {},
        h('p', {}, message(child), ' ', h('time', { class: 'muted', datetime: child.created_at }, relativeTime(child.created_at))),
        child.data.comment_preview && preview(child))),
  }).node;
}

/** The message; a name that it begins with leads to the person. */
function message({ message: text, from_user: { name, username, id } }) {
  if (id === '0' || !text.startsWith(name)) return text;
  return [h('a', { class: 'person-name', dir: 'auto', href: personPath(username) }, name), text.slice(name.length)];
}

function preview({ post_id: id, data }) {
  if (!id) return null;
  const text = data.comment_preview ?? data.post_preview;
  return h('a', { class: 'notification-preview', dir: 'auto', href: postPath(id) }, text ?? 'Go to the post');
}

function portraits({ actors, from_user: newest, actor_count: count }) {
  const people = (actors ?? [newest]).slice(0, 4);
  return h('div', { class: 'portraits' },
    people.map((person) => avatar(person)),
    count > people.length && h('span', { class: 'portraits-more' }, `+${count - people.length}`));
}

/** People who ask to follow, to approve or decline. */
function followRequests(signal) {
  const region = h('div', {});

  async function draw() {
    const { requests, total_count: count } = await get('/follows/requests', { signal }).catch(() => ({ requests: [] }));
    fill(region, requests.length > 0 && h('section', { class: 'card', 'aria-labelledby': 'requests-title' },
      h('h2', { id: 'requests-title' }, plural(count, 'follow request')),
      h('ul', { class: 'people' }, requests.map(({ user, created_at: at }) => requestRow(user, at)))));
  }

  draw();
  inbox.addEventListener('notification', ({ detail }) => { if (detail.type === 'follow_request') draw(); }, { signal });
  inbox.addEventListener('removed', draw, { signal });
  return region;
}

function requestRow(user, at) {
  const answer = (verb, text) => async () => {
    row.hidden = true;
    try {
      await post(`/follows/requests/${user.id}/${verb}`);
      announce(text);
      row.remove();
    } catch (error) {
      row.hidden = false;
      alertError(error);
    }
  };
  const row = personRow(user, `Asked ${relativeTime(at)}`,
    h('button', { type: 'button', class: 'button button-small button-primary', 'aria-label': `Approve ${user.username}`, onclick: answer('accept', 'Approved') }, 'Approve'),
    h('button', { type: 'button', class: 'button button-small', 'aria-label': `Decline ${user.username}`, onclick: answer('decline', 'Declined') }, 'Decline'));
  return row;
}
