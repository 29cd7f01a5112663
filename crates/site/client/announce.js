// What is said aloud: a polite status for screen readers, and an alert that everyone sees.

import { fill, h, icon } from './dom.js';

const VISIBLE_MS = 8000;

/** Says something to screen readers only, such as the name of a new page. */
export function announce(text) {
  const status = document.getElementById('status');
  fill(status, '');
  // A live region speaks only when its content changes.
  setTimeout(() => fill(status, text), 50);
}

/** Shows why something failed. Stays until it is closed or replaced. */
export function alertError(error) {
  if (error?.name === 'AbortError') return;
  show(document.getElementById('alerts'), error.message ?? String(error), 'toast toast-error');
}

/** Confirms that something worked, for some seconds. */
export function notice(text, action = null) {
  const toast = show(document.getElementById('notices'), text, 'toast', action);
  setTimeout(() => toast.remove(), VISIBLE_MS);
}

function show(region, text, className, action) {
  const close = () => toast.remove();
  const toast = h('div', { class: className },
    h('p', {}, text),
    action,
    h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Dismiss', onclick: close }, icon('close')));
  fill(region, toast);
  return toast;
}

/** Removes an alert that no longer applies. */
export function clearAlerts() {
  fill(document.getElementById('alerts'));
}
