// Dialogs: the browser's own, which keep the focus inside and give it back.

import { fill, h, icon, uniqueId } from './dom.js';

/** Opens a dialog. `build` gets a function that closes it and returns its contents. */
export function openDialog(title, build) {
  const id = uniqueId('dialog');
  const close = () => dialog.close();
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': id },
    h('header', { class: 'dialog-header' },
      h('h2', { id }, title),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: close }, icon('close'))),
    h('div', { class: 'dialog-body' }, build(close)));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) close(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks before something that cannot be undone. Resolves to whether the user agreed. */
export function confirmDialog(title, text, action) {
  return new Promise((resolve) => {
    let isAgreed = false;
    const dialog = openDialog(title, (close) => [
      h('p', {}, text),
      h('div', { class: 'form-actions' },
        h('button', { type: 'button', class: 'button', onclick: close }, 'Cancel'),
        h('button', { type: 'button', class: 'button button-danger', onclick: () => { isAgreed = true; close(); } }, action)),
    ]);
    dialog.addEventListener('close', () => resolve(isAgreed));
  });
}

/** A button that opens a list of actions, `[label, run]`. */
export function actionMenu(label, actions) {
  const button = h('button', { type: 'button', class: 'icon-button', 'aria-label': label }, icon('more'));
  const list = h('div', { class: 'menu' });
  return popup(button, list, (close) => actions.map(([text, run, isDanger]) => h('button', {
    type: 'button', class: isDanger ? 'menu-item danger' : 'menu-item', onclick: () => { close(); run(); },
  }, text)));
}

/**
 * A list that a button opens and closes. It also closes when Escape is pressed in it, or when the focus leaves both.
 * `build` gets a function that closes the list, and returns what the list shows when it opens. `mayOpen` is asked first.
 */
export function popup(button, list, build, mayOpen = () => true) {
  const node = h('div', { class: 'menu-anchor' }, button, list);

  function open() {
    fill(list, build(close));
    show(true);
    list.firstElementChild.focus();
  }

  function close() {
    const hadFocus = list.contains(document.activeElement);
    show(false);
    if (hadFocus) button.focus();
  }

  function show(isOpen) {
    list.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
  }

  show(false);
  button.addEventListener('click', () => mayOpen() && (list.hidden ? open() : close()));
  // A press inside keeps the focus where it is, also in browsers that do not focus buttons.
  list.addEventListener('mousedown', (event) => event.preventDefault());
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || list.hidden) return;
    event.stopPropagation();
    close();
  });
  node.addEventListener('focusout', (event) => {
    if (!list.hidden && !node.contains(event.relatedTarget)) close();
  });
  return node;
}
