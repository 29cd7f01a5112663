// Parts of a page that are loaded: a placeholder, then the contents, or the error with a way to try again.

import { fill, h } from './dom.js';

/** Fills `element` with what `load` returns. */
export async function loadInto(element, signal, load) {
  fill(element, skeleton());
  element.setAttribute('aria-busy', 'true');
  try {
    fill(element, await load());
  } catch (error) {
    if (signal.aborted) return;
    fill(element, errorPanel(error, () => loadInto(element, signal, load)));
  } finally {
    element.setAttribute('aria-busy', 'false');
  }
}

/** Grey shapes while something loads. */
export function skeleton() {
  return h('div', { class: 'skeleton' },
    h('p', { class: 'visually-hidden' }, 'Loading…'),
    h('span', { class: 'skeleton-line short' }), h('span', { class: 'skeleton-line' }), h('span', { class: 'skeleton-line' }));
}

export function errorPanel(error, retry) {
  return h('div', { class: 'panel panel-error', role: 'alert' },
    h('p', {}, error.message),
    retry && h('button', { type: 'button', class: 'button', onclick: retry }, 'Try again'));
}

/** What stands in the place of an empty list. */
export function emptyPanel(title, text) {
  return h('div', { class: 'panel panel-empty' }, h('p', { class: 'panel-title' }, title), text && h('p', {}, text));
}
