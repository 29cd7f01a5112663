// A person's page with their posts, and the lists of followers and of followed people.

import { alertError, notice } from '../announce.js';
import { get, post, remove } from '../api.js';
import { fill, h, icon } from '../dom.js';
import { actionMenu, confirmDialog } from '../dialog.js';
import { endlessList } from '../endless.js';
import { day, plural } from '../format.js';
import { avatar, followButton, followStates, nameOf, personPath, personRow } from '../people.js';
import { postCard } from '../post-card.js';
import { emptyPanel, loadInto } from '../region.js';
import { restart } from '../router.js';
import { isMe, isSignedIn } from '../session.js';
import { checkMentions } from '../text.js';

const find = (username, signal) => get(`/users/username/${encodeURIComponent(username)}`, { signal });

function missing(error) {
  if (error.status === 404) return [h('h1', { class: 'visually-hidden' }, 'Person'), emptyPanel('This person is not here', 'The account was deleted, or you cannot see it.')];
  throw error;
}

/** Sends guests to where they sign in, since profiles are for users. */
function forUsersOnly() {
  return h('div', { class: 'panel' },
    h('h1', {}, 'Sign in to see people'),
    h('a', { class: 'button button-primary', href: `/signin?next=${encodeURIComponent(location.pathname)}` }, 'Sign in'));
}

export function personView({ params: [username], signal, setTitle }) {
  if (!isSignedIn()) return { title: username, node: forUsersOnly() };
  const region = h('div', { class: 'stack' });
  loadInto(region, signal, async () => {
    try {
      const person = await find(username, signal);
      const status = isMe(person.id) ? null : await get(`/follows/${person.id}/status`, { signal });
      setTitle(nameOf(person));
      return [profileCard(person, status), postsOf(person, signal)];
    } catch (error) {
      return missing(error);
    }
  });
  return { title: `@${username}`, node: region };
}

function profileCard(person, status) {
  const followers = h('a', { href: `${personPath(person.username)}/followers` });
  let count = person.followers_count;
  const draw = () => fill(followers, numbered(count, 'follower'));
  draw();
  const follow = status && followButton(person, status.follow_status, (now, before) => {
    count += (now === 'active') - (before === 'active');
    draw();
  });
  return h('section', { class: 'card profile', 'aria-label': 'Profile' },
    h('div', { class: 'profile-top' },
      avatar(person, 'avatar-large'),
      h('div', { class: 'profile-actions' },
        isMe(person.id) ? h('a', { class: 'button', href: '/settings' }, 'Edit profile') : [follow, blockMenu(person)])),
    h('h1', { dir: 'auto' }, nameOf(person)),
    h('p', { class: 'muted' }, `@${person.username}`, status?.is_followed_by && h('span', { class: 'badge' }, 'Follows you')),
    person.bio && h('p', { class: 'profile-bio', dir: 'auto' }, person.bio),
    h('ul', { class: 'profile-facts muted' },
      person.city && h('li', {}, icon('place'), person.city),
      person.institutions.map((name) => h('li', {}, name)),
      person.websites.map((address) => h('li', {}, h('a', { href: address, rel: 'noopener noreferrer nofollow', target: '_blank' }, address.replace(/^https?:\/\//, '')))),
      h('li', {}, `Here since ${day(person.created_at)}`)),
    h('p', { class: 'profile-counts' },
      h('span', {}, numbered(person.posts_count, 'post')),
      followers,
      h('a', { href: `${personPath(person.username)}/following` }, numbered(person.following_count, 'following', 'following'))));
}

/** A number that stands out, and what it counts. */
function numbered(count, noun, many) {
  const [number, ...words] = plural(count, noun, many).split(' ');
  return [h('strong', {}, number), ` ${words.join(' ')}`];
}

function blockMenu(person) {
  return actionMenu(`Actions for ${nameOf(person)}`, [
    ['Remove follower', () => removeFollower(person)],
    ['Block', () => block(person), true],
  ]);
}

async function removeFollower(person) {
  try {
    await remove(`/users/me/followers/${person.id}`);
    notice(`${nameOf(person)} no longer follows you.`);
  } catch (error) {
    alertError(error);
  }
}

async function block(person) {
  const text = 'You will not see each other any more, and neither of you will follow the other. You can lift the block in the settings.';
  if (!await confirmDialog(`Block ${nameOf(person)}?`, text, 'Block')) return;
  try {
    await post(`/users/${person.id}/block`);
    notice(`${nameOf(person)} is blocked.`);
    restart();
  } catch (error) {
    alertError(error);
  }
}

function postsOf(person, signal) {
  const list = h('div', { class: 'feed', role: 'feed', 'aria-label': `Posts by ${nameOf(person)}` });
  const path = isMe(person.id) ? '/users/me/posts' : `/users/${person.id}/posts`;
  return endlessList({
    path,
    signal,
    list,
    render: (item) => postCard(item, { signal }),
    empty: emptyPanel('No posts yet'),
    prepare: (posts) => checkMentions(posts.map((item) => item.content), signal),
  }).node;
}

/** The followers of a person, or the people they follow. */
export function followListView({ params: [username, kind], signal }) {
  if (!isSignedIn()) return { title: username, node: forUsersOnly() };
  const title = kind === 'followers' ? 'Followers' : 'Following';
  const region = h('div', {});
  loadInto(region, signal, async () => {
    try {
      const person = await find(username, signal);
      return list(person, kind, signal);
    } catch (error) {
      return missing(error);
    }
  });
  return {
    title: `${title} of @${username}`,
    node: h('section', { class: 'card' },
      h('h1', {}, title),
      h('p', {}, h('a', { href: personPath(username) }, `@${username}`)),
      region),
  };
}

function list(person, kind, signal) {
  const states = {};
  return endlessList({
    path: `/users/${person.id}/${kind}`,
    signal,
    list: h('ul', { class: 'people' }),
    items: (body) => body[kind],
    prepare: async (people) => Object.assign(states, await followStates(people, signal)),
    render: (other) => personRow(other, other.bio, followButton(other, states[other.id]?.follow_status ?? null)),
    empty: emptyPanel(kind === 'followers' ? 'No followers yet' : 'Follows no one yet'),
  }).node;
}
