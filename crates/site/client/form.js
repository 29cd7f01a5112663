// Forms: a label for each control, and the reason for each refusal beside the field it is about.

import { fill, h, uniqueId } from './dom.js';

/** A control with its label, an optional hint, and a place for its error. `name` is the API's name of the field. */
export function field(name, label, control, hint = null) {
  const id = uniqueId(name.replaceAll('_', '-'));
  control.id = id;
  control.name = name;
  const described = hint ? [`${id}-hint`, `${id}-error`] : [`${id}-error`];
  control.setAttribute('aria-describedby', described.join(' '));
  return h('div', { class: 'field', 'data-field': name },
    h('label', { for: id }, label),
    control,
    hint && h('p', { class: 'hint', id: `${id}-hint` }, hint),
    h('p', { class: 'field-error', id: `${id}-error` }));
}

export const input = (attributes = {}) => h('input', { type: 'text', ...attributes });

/** A choice between `[value, label]` pairs. */
export function select(options, value, attributes = {}) {
  const items = options.map(([key, label]) => h('option', { value: key, selected: key === value }, label));
  return h('select', attributes, items);
}

/** A box to check, with its label to the right. */
export function checkbox(label, isChecked, attributes = {}) {
  const control = h('input', { type: 'checkbox', checked: isChecked, ...attributes });
  return { control, node: h('label', { class: 'check' }, control, h('span', {}, label)) };
}

/**
 * A form that calls `run` when it is sent. While it runs, its button is busy; what it throws is shown in the form:
 * refused fields beside their controls, everything else above the button.
 */
export function form({ label, submit, run, actions = [], ...attributes }, ...children) {
  const button = h('button', { type: 'submit', class: 'button button-primary' }, submit);
  const problem = h('div', { class: 'form-error', role: 'alert' });
  const element = h('form', { novalidate: true, 'aria-label': label, ...attributes },
    children, problem, h('div', { class: 'form-actions' }, actions, button));
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-disabled') === 'true') return;
    clearErrors(element, problem);
    setBusy(element, button, true);
    try {
      await run(element);
    } catch (error) {
      showErrors(element, problem, error);
    } finally {
      setBusy(element, button, false);
    }
  });
  return element;
}

function setBusy(element, button, isBusy) {
  element.setAttribute('aria-busy', String(isBusy));
  button.setAttribute('aria-disabled', String(isBusy));
}

function clearErrors(element, problem) {
  fill(problem);
  for (const field of element.querySelectorAll('[data-field]')) showFieldError(field, null);
}

function showFieldError(field, reason) {
  const control = field.querySelector('input, textarea, select');
  const place = field.querySelector('.field-error');
  if (place) fill(place, reason ?? '');
  if (reason) control?.setAttribute('aria-invalid', 'true');
  else control?.removeAttribute('aria-invalid');
}

function showErrors(element, problem, error) {
  if (error.name === 'AbortError') return;
  const elsewhere = [];
  const refused = Object.entries(error.fields ?? {});
  for (const [name, reason] of refused) {
    const field = element.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (field) showFieldError(field, capitalized(reason));
    else elsewhere.push(`${name}: ${reason}`);
  }
  if (refused.length === 0 && !showBesideSubject(element, error.message)) elsewhere.push(error.message);
  if (elsewhere.length) fill(problem, elsewhere.map((text) => h('p', {}, text)));
  element.querySelector('[aria-invalid="true"]')?.focus();
}

/** Shows `Username already taken` beside the username: a refusal that begins with the name of a field is about it. */
function showBesideSubject(element, message) {
  const subject = [...element.querySelectorAll('[data-field]')].find(({ dataset }) =>
    message.toLowerCase().startsWith(`${dataset.field.replaceAll('_', ' ')} `));
  if (subject) showFieldError(subject, message);
  return subject !== undefined;
}

function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
