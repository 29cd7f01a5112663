// Sharing a post: as a link to copy, or as a message to people.

import { announce, notice } from './announce.js';
import { idempotencyKey, post as send } from './api.js';
import { debounce, fill, h } from './dom.js';
import { openDialog } from './dialog.js';
import { field, form, input } from './form.js';
import { avatar, nameOf } from './people.js';
import { refresh } from './posts.js';

const MOST_RECIPIENTS = 5;

/** Opens the dialog that shares a post. */
export function openShareDialog(post) {
  openDialog('Share this post', (close) => [
    linkForm(post),
    h('h3', {}, 'Send to people'),
    messageForm(post, close),
  ]);
}

function linkForm(post) {
  const address = input({ readonly: true, value: `${location.origin}/post/${post.id}` });
  return form({
    label: 'Share by link',
    submit: 'Copy link',
    async run() {
      const { share_url: url } = await send(`/posts/${post.id}/share`, { share_method: 'url' });
      // A front end elsewhere has an address of its own for the post; this one is here.
      if (new URL(url).origin === location.origin) address.value = url;
      refresh(post.id).catch(() => {});
      await copy(address);
    },
  }, field('share_url', 'Link', address));
}

async function copy(control) {
  control.select();
  try {
    await navigator.clipboard.writeText(control.value);
    notice('The link is copied.');
  } catch {
    notice('Copy the marked link.');
  }
}

function messageForm(post, close) {
  const recipients = new Map();
  const chosen = h('ul', { class: 'chips', 'aria-label': 'Recipients' });
  const found = h('ul', { class: 'picker', 'aria-label': 'People found' });
  const search = input({ type: 'search', placeholder: 'Name', autocomplete: 'off', oninput: debounce(250, find) });
  const message = h('textarea', { rows: 2 });
  const key = idempotencyKey();

  async function find() {
    const people = search.value.trim() ? await send('/users/search', { query: search.value, limit: 5 }).catch(() => []) : [];
    fill(found, people.filter(({ id }) => !recipients.has(id)).map((person) => h('li', {},
      h('button', { type: 'button', class: 'picker-item', onclick: () => add(person) },
        avatar(person, 'avatar-small'), `Add ${nameOf(person)}`))));
  }

  function add(person) {
    if (recipients.size < MOST_RECIPIENTS) recipients.set(person.id, person);
    announce(`${nameOf(person)} added`);
    search.value = '';
    fill(found);
    search.focus();
    draw();
  }

  function draw() {
    fill(chosen, [...recipients.values()].map((person) => h('li', {},
      h('button', {
        type: 'button', class: 'chip', 'aria-label': `Remove ${nameOf(person)}`,
        onclick: () => { recipients.delete(person.id); draw(); search.focus(); },
      }, nameOf(person), ' ×'))));
  }

  return form({
    label: 'Message to people',
    submit: 'Send',
    async run() {
      const body = { share_method: 'message', recipient_ids: [...recipients.keys()], message: message.value || null };
      await send(`/posts/${post.id}/share`, body, { headers: { 'Idempotency-Key': key } });
      refresh(post.id).catch(() => {});
      close();
      notice('The post is sent.');
    },
  },
  field('recipient_ids', 'Send to', search, `Up to ${MOST_RECIPIENTS} people`), found, chosen,
  field('message', 'Message', message, 'Optional, at most 200 characters'));
}
