// People: portraits, names as links, and following.

import { alertError, announce } from './announce.js';
import { post, remove } from './api.js';
import { fill, h } from './dom.js';
import { isMe, isSignedIn } from './session.js';

/** The address of a person's page. */
export const personPath = (username) => `/people/${encodeURIComponent(username)}`;

/** A round portrait: the photo, or the initials that the server draws. Decorative, since a name is beside it. */
export function avatar(person, size = '') {
  const drawn = `/api/avatar/${person.id}`;
  const image = h('img', {
    class: `avatar ${size}`,
    src: person.profile_image_url ?? person.image ?? drawn,
    alt: '',
    width: 48,
    height: 48,
    loading: 'lazy',
    decoding: 'async',
  });
  // A photo that is gone, or that is on another server, which the policy of the page forbids.
  image.addEventListener('error', () => { image.src = drawn; }, { once: true });
  return image;
}

export const nameOf = (person) => person.name ?? person.display_name ?? person.username;

/** A person in a list: portrait, names, a line of text, and controls at the end. */
export function personRow(person, text, ...controls) {
  return h('li', { class: 'person-row' },
    avatar(person),
    h('div', { class: 'person-names' },
      h('a', { class: 'person-name', dir: 'auto', href: personPath(person.username) }, nameOf(person)),
      nameOf(person) !== person.username && h('span', { class: 'muted' }, `@${person.username}`),
      text && h('p', { class: 'person-text', dir: 'auto' }, text)),
    h('div', { class: 'person-controls' }, controls));
}

/** The states of many people towards the user, by id. */
export async function followStates(people, signal) {
  const ids = people.map((person) => person.id).filter((id) => !isMe(id));
  if (!isSignedIn() || ids.length === 0) return {};
  return post('/follows/status', { user_ids: ids }, { signal });
}

/**
 * A button that follows a person, asks to, or stops. It changes at once, and back if the server refuses. `state` is
 * `active`, `pending` or null; `onchange` gets each state that the server confirmed.
 */
export function followButton(person, state, onchange = () => {}) {
  if (!isSignedIn() || isMe(person.id)) return null;
  let current = state === 'blocked' ? null : state;
  let confirmed = current;
  let queue = Promise.resolve();
  let clicks = 0;
  const button = h('button', { type: 'button', class: 'button button-small', onclick: toggle });

  function draw() {
    const label = { active: 'Following', pending: 'Requested' }[current] ?? 'Follow';
    fill(button, label);
    button.setAttribute('aria-label', `${label} ${nameOf(person)}`);
    button.setAttribute('aria-pressed', String(current !== null));
    button.classList.toggle('button-primary', current === null);
  }

  /** Requests are sent in the order of the clicks; what the last one brings is shown. */
  function toggle() {
    const before = current;
    clicks += 1;
    const mine = clicks;
    current = before ? null : 'active';
    draw();
    queue = queue.then(async () => {
      const [state, error] = await send(before).then((state) => [state, null], (error) => [before, error]);
      if (error) {
        alertError(error);
      } else {
        onchange(state, confirmed);
        confirmed = state;
      }
      if (mine !== clicks) return;
      current = state;
      draw();
      if (!error) announce(`${{ active: 'Following', pending: 'Requested to follow' }[state] ?? 'No longer following'} ${nameOf(person)}`);
    });
  }

  async function send(before) {
    const path = `/follows/${person.id}`;
    if (!before) return (await post(path)).status;
    await remove(path);
    return null;
  }

  draw();
  return button;
}
