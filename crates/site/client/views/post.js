// The page of one post, where share links lead.

import { get } from '../api.js';
import { commentSection } from '../comments.js';
import { fill, h } from '../dom.js';
import { plural } from '../format.js';
import { avatar, personPath } from '../people.js';
import { postCard } from '../post-card.js';
import { emojiOf, watch } from '../posts.js';
import { emptyPanel, loadInto } from '../region.js';
import { isSignedIn } from '../session.js';
import { navigate } from '../router.js';
import { checkMentions } from '../text.js';

const NEWEST_HEARTS = 8;

export function postView({ params: [id], signal, setTitle }) {
  const region = h('div', { class: 'stack' });
  const node = h('div', { class: 'stack' }, h('h1', { class: 'visually-hidden' }, 'Post'), region);
  loadInto(region, signal, async () => {
    const post = await get(`/posts/${encodeURIComponent(id)}`, { signal }).catch(missing);
    if (!post) return emptyPanel('This post is not here', 'It was deleted, or it is not for you to see.');
    await checkMentions([post.content], signal);
    setTitle(post.title ?? `Post by ${post.author.name}`);
    return [
      postCard(post, { signal, ondeleted: () => navigate('/', { replace: true }) }),
      isSignedIn() ? [whoEngaged(post, signal), commentSection(post, signal)] : invitation(),
    ];
  });
  return { title: 'Post', node };
}

function missing(error) {
  if (error.status === 404) return null;
  throw error;
}

function invitation() {
  const next = encodeURIComponent(location.pathname);
  return h('section', { class: 'panel' },
    h('p', {}, 'Sign in to give a heart, and to read and write comments.'),
    h('p', { class: 'form-actions' },
      h('a', { class: 'button', href: `/signin?next=${next}` }, 'Sign in'),
      h('a', { class: 'button button-primary', href: `/signup?next=${next}` }, 'Create an account')));
}

/** The emoji of a post with their numbers, and the newest hearts. Read again when the post changes. */
function whoEngaged(post, signal) {
  const region = h('div', { class: 'engaged' });
  let drawn = '';

  async function draw({ hearts_count: hearts, reactions_count: reactions, current_user_reaction: mine }) {
    const state = `${hearts} ${reactions} ${mine}`;
    if (state === drawn) return;
    drawn = state;
    const [summary, people] = await Promise.all([
      get(`/posts/${post.id}/reactions/summary`, { signal }),
      get(`/posts/${post.id}/hearts/users?limit=${NEWEST_HEARTS}`, { signal }),
    ]);
    if (state === drawn) fill(region, emojis(summary), hearts > 0 && faces(people, hearts));
  }

  const update = (current) => { if (current) draw(current).catch(() => {}); };
  update(post);
  watch(post.id, update, signal);
  return region;
}

function emojis({ emoji_counts: counts }) {
  const sums = new Map();
  for (const [code, count] of Object.entries(counts)) sums.set(emojiOf(code), (sums.get(emojiOf(code)) ?? 0) + count);
  if (sums.size === 0) return null;
  const most = [...sums].sort(([, one], [, other]) => other - one);
  return h('ul', { class: 'chips', 'aria-label': 'Reactions' }, most.map(([emoji, count]) =>
    h('li', { class: 'chip' }, h('span', { class: 'emoji' }, emoji), ` ${count}`)));
}

function faces(people, hearts) {
  return h('p', { class: 'faces' },
    people.map(({ userId, userName, userImage }) => avatar({ id: userId, image: userImage, name: userName }, 'avatar-small')),
    h('span', { class: 'muted' }, plural(hearts, 'heart')));
}
