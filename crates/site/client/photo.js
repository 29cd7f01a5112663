// The profile photo: chosen, shown, and cut to a square around a point that the user sets.

import { alertError, notice } from './announce.js';
import { post, remove } from './api.js';
import { fill, h } from './dom.js';
import { form } from './form.js';
import { avatar } from './people.js';

export function photoSection(profile) {
  const current = h('div', { class: 'photo-current' }, avatar(profile, 'avatar-large'));
  const focus = focusPicker();
  const control = h('input', { type: 'file', id: 'photo', accept: 'image/jpeg,image/png,image/webp', onchange: () => focus.show(control.files[0]) });

  async function erase() {
    try {
      await remove('/users/me/profile/photo');
      fill(current, avatar({ id: profile.id }, 'avatar-large'));
      notice('Your photo is removed.');
    } catch (error) {
      alertError(error);
    }
  }

  return h('section', { class: 'card', 'aria-labelledby': 'settings-photo' },
    h('h2', { id: 'settings-photo' }, 'Photo'),
    current,
    form({
      label: 'Photo',
      submit: 'Save photo',
      actions: [h('button', { type: 'button', class: 'button', onclick: erase }, 'Remove photo')],
      async run(element) {
        const data = new FormData();
        if (control.files[0]) data.append('file', control.files[0]);
        if (focus.value()) data.append('focus', focus.value());
        const { profile_image_url: address } = await post('/users/me/profile/photo', data);
        fill(current, avatar({ id: profile.id, image: address }, 'avatar-large'));
        element.reset();
        focus.show(null);
        notice('Your photo is saved.');
      },
    },
    h('div', { class: 'field', 'data-field': 'file' },
      h('label', { for: 'photo' }, 'New photo'),
      control,
      h('p', { class: 'field-error' })),
    focus.node));
}

/** Shows the picture and the square that will be cut out of it; a click or two sliders move its middle. */
function focusPicker() {
  const node = h('div', { class: 'focus-picker', 'data-field': 'focus', hidden: true });
  const whole = h('img', { class: 'focus-whole', alt: 'The photo you chose', onclick: pick });
  const square = h('img', { class: 'focus-square', alt: 'How it will be cut' });
  const cross = slider('From left to right');
  const down = slider('From top to bottom');
  const mark = h('span', { class: 'focus-mark', 'aria-hidden': 'true' });
  let isSet = false;
  let address = null;

  function slider(label) {
    return h('input', { type: 'range', min: 0, max: 100, value: '50', 'aria-label': `Middle of the square: ${label.toLowerCase()}`, oninput: () => { isSet = true; draw(); } });
  }

  function pick(event) {
    const box = whole.getBoundingClientRect();
    cross.value = String(Math.round((100 * (event.clientX - box.left)) / box.width));
    down.value = String(Math.round((100 * (event.clientY - box.top)) / box.height));
    isSet = true;
    draw();
  }

  function draw() {
    mark.style.insetInlineStart = `${cross.value}%`;
    mark.style.insetBlockStart = `${down.value}%`;
    square.style.objectPosition = `${position(cross.value, whole.naturalWidth)}% ${position(down.value, whole.naturalHeight)}%`;
  }

  /** Where the square begins, as CSS counts it, so that its middle is the chosen point or as near as the edges allow. */
  function position(percent, length) {
    const side = Math.min(whole.naturalWidth, whole.naturalHeight);
    const start = (length * percent) / 100 - side / 2;
    return length > side ? Math.min(100, Math.max(0, (100 * start) / (length - side))) : 50;
  }

  whole.addEventListener('load', draw);
  return {
    node,
    /** Shows a file, or nothing. */
    show(file) {
      if (address) URL.revokeObjectURL(address);
      address = file ? URL.createObjectURL(file) : null;
      isSet = false;
      cross.value = '50';
      down.value = '50';
      node.hidden = !file;
      if (!file) return;
      whole.src = address;
      square.src = address;
      fill(node,
        h('p', { class: 'hint' }, 'Choose the middle of the square, with a click or with the sliders. Otherwise it is found by the content of the picture.'),
        h('div', { class: 'focus-images' }, h('div', { class: 'focus-frame' }, whole, mark), square),
        cross, down,
        h('p', { class: 'field-error' }));
    },
    /** The chosen point as the API takes it, or null. */
    value: () => (isSet ? `${cross.value / 100},${down.value / 100}` : null),
  };
}
