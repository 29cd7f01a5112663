// A post as a card: its author, its text and picture, and what can be done with it.

import { alertError, notice } from './announce.js';
import { getTagged, patch, remove } from './api.js';
import { fill, h, hiddenText, icon } from './dom.js';
import { actionMenu, confirmDialog, openDialog, popup } from './dialog.js';
import { field, form, input, select } from './form.js';
import { absoluteTime, compact, relativeTime } from './format.js';
import { suggestingField } from './mentions.js';
import { avatar, personPath } from './people.js';
import { emojiOf, forget, learn, react, REACTIONS, toggleHeart, watch } from './posts.js';
import { navigate } from './router.js';
import { whyIsThisHere } from './score.js';
import { isMe, isSignedIn } from './session.js';
import { openShareDialog } from './share.js';
import { linkedText } from './text.js';

export const postPath = (id) => `/post/${id}`;

/** A card that follows the changes of its post until `signal` is aborted. `heading` is `h1` on the page of the post. */
export function postCard(post, { signal, heading = 'h2', ondeleted }) {
  learn(post);
  const body = h('div', { class: 'post-body' });
  const actions = postActions(post);
  const why = post.score ? whyIsThisHere(post) : null;
  const card = h('article', { class: 'card post', 'aria-label': `Post by ${post.author.name}`, 'data-post': post.id },
    postHeader(post),
    body,
    actions.node,
    why && [h('div', { class: 'why-line' }, why.button), why.panel]);
  let drawn = '';

  function draw(current) {
    const text = JSON.stringify([current.title, current.content, current.image_url, current.location, current.is_public]);
    if (text !== drawn) fill(body, contents(current, heading));
    drawn = text;
    actions.draw(current);
  }

  draw(learn({ id: post.id }));
  watch(post.id, (current) => {
    if (current) return draw(current);
    card.remove();
    ondeleted?.();
  }, signal);
  return card;
}

function postHeader(post) {
  const { author } = post;
  return h('header', { class: 'post-header' },
    avatar(author),
    h('div', { class: 'post-byline' },
      h('a', { class: 'person-name', dir: 'auto', href: personPath(author.username) }, author.name),
      h('p', { class: 'muted' },
        author.name !== author.username && [h('span', { class: 'handle' }, `@${author.username}`), ' · '],
        h('a', { class: 'post-time', href: postPath(post.id) },
          h('time', { datetime: post.created_at, title: absoluteTime(post.created_at) }, relativeTime(post.created_at))))),
    isMe(post.author_id) && actionMenu('Actions for your post', [
      ['Edit', () => editPost(post)],
      ['Delete', () => deletePost(post), true],
    ]));
}

function contents(post, heading) {
  return [
    post.title && h(heading, { class: 'post-title', dir: 'auto' }, post.title),
    h('p', { class: 'post-text', dir: 'auto' }, linkedText(post.content)),
    post.image_url && h('img', { class: 'post-image', src: post.image_url, alt: `Picture of the post by ${post.author.name}`, loading: 'lazy', decoding: 'async' }),
    (post.location || !post.is_public || post.updated_at) && h('p', { class: 'post-facts muted' },
      post.location && h('span', {}, icon('place'), hiddenText('Place: '), post.location),
      !post.is_public && h('span', {}, icon('lock'), 'Only you'),
      post.updated_at && h('span', {}, 'Edited')),
  ];
}

function postActions(post) {
  const { id } = post;
  const hearts = h('span', { class: 'count' });
  const heart = actionButton('heart', 'Heart', hearts, () => signedIn() && toggleHeart(id));
  const reaction = reactionPicker(id);
  const comments = h('span', { class: 'count' });
  // On the page of the post, it leads down to them.
  const comment = h('a', { class: 'action', href: `${postPath(id)}#comments` }, icon('comment'), hiddenText('Comments'), comments);
  const shares = h('span', { class: 'count' });
  const share = actionButton('share', 'Share', shares, () => signedIn() && openShareDialog(post));

  function draw(current) {
    fill(hearts, compact(current.hearts_count));
    heart.setAttribute('aria-pressed', String(current.is_hearted));
    fill(comments, compact(current.comments_count));
    fill(shares, compact(current.shares_count));
    reaction.draw(current);
    share.hidden = !current.is_public;
  }

  return { draw, node: h('div', { class: 'actions', role: 'group', 'aria-label': 'Actions' }, heart, reaction.node, comment, share) };
}

function actionButton(iconName, name, count, onclick) {
  return h('button', { type: 'button', class: `action action-${iconName}`, onclick }, icon(iconName), hiddenText(name), count);
}

/** Sends guests to the page where they sign in. */
function signedIn() {
  if (!isSignedIn()) {
    notice('Sign in to take part.');
    navigate(`/signin?next=${encodeURIComponent(location.pathname)}`);
  }
  return isSignedIn();
}

function reactionPicker(id) {
  const count = h('span', { class: 'count' });
  const face = h('span', { class: 'reaction-face' });
  const list = h('div', { class: 'reactions', role: 'group', 'aria-label': 'Reactions' });
  const button = h('button', { type: 'button', class: 'action action-smile' }, face, hiddenText('React'), count);
  let mine = null;
  const node = popup(button, list, (close) => REACTIONS.map(([code, emoji, name]) => h('button', {
    type: 'button', class: 'reaction', 'aria-label': name, title: name, 'aria-pressed': String(mine === code),
    onclick: () => { react(id, mine === code ? null : code); close(); },
  }, emoji)), signedIn);
  return {
    node,
    draw(post) {
      mine = post.current_user_reaction;
      fill(face, mine ? h('span', { class: 'emoji' }, emojiOf(mine)) : icon('smile'));
      button.classList.toggle('is-mine', mine !== null);
      fill(count, compact(post.reactions_count));
    },
  };
}

async function deletePost(post) {
  if (!await confirmDialog('Delete this post?', 'Its comments, hearts and reactions are deleted with it.', 'Delete post')) return;
  try {
    await remove(`/posts/${post.id}`);
    forget(post.id);
    notice('The post is deleted.');
  } catch (error) {
    alertError(error);
  }
}

/** Opens the post as it is now for editing; an edit from elsewhere in the meantime is not overwritten. */
async function editPost({ id }) {
  try {
    const { value: post, etag } = await getTagged(`/posts/${id}`);
    openDialog('Edit post', (close) => editForm(post, etag, close));
  } catch (error) {
    alertError(error);
  }
}

function editForm(post, etag, close) {
  const title = input({ value: post.title ?? '' });
  const content = h('textarea', { rows: 6, value: post.content });
  const place = input({ value: post.location ?? '' });
  const privacy = select([['public', 'Everyone'], ['private', 'Only you']], post.is_public ? 'public' : 'private');
  return form({
    label: 'Edit post',
    submit: 'Save',
    async run() {
      const change = {
        title: title.value || null,
        content: content.value,
        location: place.value || null,
        is_public: privacy.value === 'public',
      };
      learn(await patch(`/posts/${post.id}`, change, { headers: { 'If-Match': etag } }));
      close();
      notice('The post is saved.');
    },
  },
  field('title', 'Title', title),
  suggestingField('content', 'Text', content),
  field('location', 'Place', place),
  field('is_public', 'Who can see it', privacy));
}
