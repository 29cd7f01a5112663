// Writing a post: its text, type and audience, a picture with a preview, and a title and a place.

import { notice } from './announce.js';
import { idempotencyKey, post as send } from './api.js';
import { fill, h, icon } from './dom.js';
import { field, form, input, select } from './form.js';
import { characters } from './format.js';
import { suggestingField } from './mentions.js';
import { checkMentions } from './text.js';

// As in docs/rules.md#posts. Without a type, a long text becomes a daily post.
const MOST_CHARACTERS = { '': 500, daily: 500, photo: 300, spontaneous: 200 };
const TYPES = [['', 'Chosen for you'], ['daily', 'Daily'], ['photo', 'Photo'], ['spontaneous', 'Spontaneous']];
const MOST_BYTES = 5_242_880;

/** The form. `onposted` gets each new post. */
export function composer(onposted) {
  const content = h('textarea', { rows: 2, placeholder: 'Today I am grateful for …' });
  const counter = h('p', { class: 'counter', 'aria-live': 'off' });
  const type = select(TYPES, '');
  const privacy = select([['public', 'Everyone'], ['private', 'Only you']], 'public');
  const title = input();
  const place = input();
  const picture = picturePicker();
  let key = idempotencyKey();

  function count() {
    const most = MOST_CHARACTERS[type.value];
    const left = most - characters(content.value);
    fill(counter, left < 0 ? `${-left} too many` : `${left} left`);
    counter.classList.toggle('is-over', left < 0);
  }

  async function run(element) {
    const text = { content: content.value, title: title.value, location: place.value, privacy_level: privacy.value, post_type: type.value };
    const headers = { 'Idempotency-Key': key };
    const post = picture.file()
      ? await send('/posts/upload', formData(text, picture.file()), { headers })
      : await send('/posts', withoutBlanks(text), { headers });
    key = idempotencyKey();
    element.reset();
    picture.clear();
    count();
    await checkMentions([post.content]).catch(() => {});
    onposted(post);
    notice(post.is_public ? 'Your post is published.' : 'Your post is saved. Only you can see it.');
  }

  const element = form({ label: 'New post', class: 'composer card', submit: 'Post', run, actions: [picture.button, counter] },
    suggestingField('content', 'What are you grateful for?', content),
    picture.node,
    h('details', { class: 'composer-more' },
      h('summary', {}, 'More options'),
      h('div', { class: 'composer-options' },
        field('post_type', 'Type', type),
        field('privacy_level', 'Who can see it', privacy),
        field('title', 'Title', title),
        field('location', 'Place', place))));
  // Another text is another request.
  element.addEventListener('input', () => { key = idempotencyKey(); count(); });
  count();
  return element;
}

function withoutBlanks(body) {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ''));
}

function formData(text, file) {
  const data = new FormData();
  for (const [name, value] of Object.entries(withoutBlanks(text))) data.append(name, value);
  data.append('image', file);
  return data;
}

/** Chooses a picture and shows it. */
function picturePicker() {
  const node = h('div', { class: 'field picture-field', 'data-field': 'image' });
  const control = h('input', { type: 'file', accept: 'image/jpeg,image/png,image/webp', class: 'visually-hidden', tabindex: -1, 'aria-hidden': 'true', onchange: draw });
  const button = h('button', { type: 'button', class: 'button button-quiet', onclick: () => control.click() }, icon('image'), 'Add picture');
  let preview = null;

  function draw() {
    if (preview) URL.revokeObjectURL(preview);
    const file = control.files[0];
    preview = file ? URL.createObjectURL(file) : null;
    const problem = file && file.size > MOST_BYTES ? 'The picture is larger than 5 MB.' : '';
    fill(node, control, file && h('figure', { class: 'picture-preview' },
      h('img', { src: preview, alt: `Preview of ${file.name}` }),
      h('button', { type: 'button', class: 'button button-small', onclick: () => { clear(); button.focus(); } }, 'Remove picture')),
    h('p', { class: 'field-error' }, problem));
    control.dispatchEvent(new Event('input', { bubbles: true }));
  }

  function clear() {
    control.value = '';
    draw();
  }

  draw();
  return { node, button, clear, file: () => control.files[0] ?? null };
}
