// Comments on a post, with replies at any depth.

import { alertError, announce } from './announce.js';
import { idempotencyKey, patch, post as send, remove } from './api.js';
import { fill, h } from './dom.js';
import { confirmDialog } from './dialog.js';
import { endlessList } from './endless.js';
import { form } from './form.js';
import { absoluteTime, plural, relativeTime } from './format.js';
import { suggestingField } from './mentions.js';
import { avatar, personPath } from './people.js';
import { countComments } from './posts.js';
import { isMe } from './session.js';
import { checkMentions, linkedText } from './text.js';

/** The comments on a post with a form for a new one. */
export function commentSection(post, signal) {
  const thread = commentThread({ post, signal, path: `/posts/${post.id}/comments`, empty: 'No comments yet. Write the first one.' });
  return h('section', { class: 'card comments', id: 'comments', tabindex: -1, 'aria-labelledby': 'comments-title' },
    h('h2', { id: 'comments-title' }, 'Comments'),
    writeForm({ name: 'New comment', label: 'Write a comment', submit: 'Comment', run: (content, key) => thread.add(content, null, key) }),
    thread.node);
}

/** A list of comments: the top level of a post, or the replies to one. */
function commentThread({ post, signal, path, empty }) {
  const list = h('ol', { class: 'comment-list' });
  const render = (comment) => commentItem(post, comment, signal);
  const pages = endlessList({
    path,
    signal,
    list,
    render,
    empty: empty && h('p', { class: 'muted list-end' }, empty),
    prepare: (comments) => checkMentions(comments.map((comment) => comment.content), signal),
  });

  return {
    node: h('div', {}, pages.node),
    /** Shows a comment at once, and takes it away if the server refuses it. */
    async add(content, parent, key) {
      const waiting = h('li', { class: 'comment is-waiting' }, h('p', { class: 'comment-text' }, content));
      list.append(waiting);
      countComments(post.id, 1);
      try {
        const headers = { 'Idempotency-Key': key };
        const comment = await send(`/posts/${post.id}/comments`, { content, parent_id: parent }, { headers });
        await checkMentions([comment.content], signal).catch(() => {});
        waiting.remove();
        pages.append(comment);
        announce('Your comment is published.');
      } catch (error) {
        waiting.remove();
        countComments(post.id, -1);
        throw error;
      }
    },
  };
}

/** A form for a comment. Its text is back in it if the server refuses it. */
function writeForm({ name, label, submit, run, value = '', actions = [] }) {
  const content = h('textarea', { rows: 2, value });
  let key = idempotencyKey();
  const element = form({
    label: name,
    submit,
    actions,
    class: 'comment-form',
    async run() {
      const text = content.value;
      content.value = '';
      try {
        await run(text, key);
        key = idempotencyKey();
      } catch (error) {
        content.value = text;
        throw error;
      }
    },
  }, suggestingField('content', label, content));
  // Another text is another request.
  element.addEventListener('input', () => { key = idempotencyKey(); });
  return element;
}

function commentItem(post, comment, signal) {
  const replies = replyArea(post, comment, signal);
  if (comment.hidden) {
    return h('li', { class: 'comment' }, h('p', { class: 'muted' }, 'A comment that you cannot see.'), replies.toggle, replies.node);
  }
  const text = h('div', { class: 'comment-text', dir: 'auto' }, linkedText(comment.content));
  const edited = h('span', { hidden: !comment.updated_at }, ' · Edited');
  const { author } = comment;
  const node = h('li', { class: 'comment', 'data-comment': comment.id },
    h('div', { class: 'comment-main' },
      avatar(author, 'avatar-small'),
      h('div', { class: 'comment-body' },
        h('p', { class: 'comment-byline' },
          h('a', { class: 'person-name', dir: 'auto', href: personPath(author.username) }, author.name),
          h('span', { class: 'muted' }, ' ', h('time', { datetime: comment.created_at, title: absoluteTime(comment.created_at) }, relativeTime(comment.created_at)), edited)),
        text,
        h('div', { class: 'comment-actions' },
          h('button', { type: 'button', class: 'link-button', 'aria-label': `Reply to ${author.name}`, onclick: () => replies.write(author) }, 'Reply'),
          isMe(author.id) && h('button', { type: 'button', class: 'link-button', onclick: () => edit() }, 'Edit'),
          (isMe(author.id) || isMe(post.author_id)) && h('button', { type: 'button', class: 'link-button', 'aria-label': `Delete the comment by ${author.name}`, onclick: () => erase() }, 'Delete'),
          replies.toggle))),
    replies.node);

  function edit() {
    const cancel = h('button', { type: 'button', class: 'button', onclick: () => draw() }, 'Cancel');
    const editor = writeForm({
      name: 'Edit comment', label: 'Your comment', submit: 'Save', value: comment.content, actions: [cancel],
      async run(content) {
        Object.assign(comment, await patch(`/comments/${comment.id}`, { content }));
        await checkMentions([comment.content], signal).catch(() => {});
        edited.hidden = false;
        draw();
      },
    });
    fill(text, editor);
    editor.querySelector('textarea').focus();
  }

  function draw() {
    fill(text, linkedText(comment.content));
  }

  async function erase() {
    const isSure = await confirmDialog('Delete this comment?', 'All replies to it are deleted too.', 'Delete comment');
    if (!isSure) return;
    node.hidden = true;
    try {
      await remove(`/comments/${comment.id}`);
      countComments(post.id, -1);
      node.remove();
      announce('The comment is deleted.');
    } catch (error) {
      node.hidden = false;
      alertError(error);
    }
  }

  return node;
}

/** The replies to a comment, read when they are opened, and the form for a new one. */
function replyArea(post, comment, signal) {
  const node = h('div', { class: 'replies', hidden: true });
  const place = h('div', {});
  let count = comment.replies_count;
  let thread = null;
  const toggle = h('button', { type: 'button', class: 'link-button', 'aria-expanded': 'false', onclick: () => open(node.hidden) });

  function draw() {
    toggle.hidden = count === 0;
    fill(toggle, `${node.hidden ? 'Show' : 'Hide'} ${plural(count, 'reply', 'replies')}`);
    toggle.setAttribute('aria-expanded', String(!node.hidden));
  }

  function open(isOpen) {
    if (isOpen && !thread) {
      thread = commentThread({ post, signal, path: `/comments/${comment.id}/replies` });
      fill(node, thread.node, place);
    }
    node.hidden = !isOpen;
    draw();
  }

  draw();
  return {
    node,
    toggle,
    write(author) {
      open(true);
      const close = () => fill(place);
      const cancel = h('button', { type: 'button', class: 'button', onclick: close }, 'Cancel');
      const editor = writeForm({
        name: 'New reply', label: `Reply to ${author.name}`, submit: 'Reply', actions: [cancel],
        async run(content, key) {
          await thread.add(content, comment.id, key);
          count += 1;
          draw();
          close();
        },
      });
      fill(place, editor);
      editor.querySelector('textarea').focus();
    },
  };
}
