// Suggestions while a mention is typed: a list under the text, chosen with arrow keys and Enter, or with a click.

import { announce } from './announce.js';
import { post } from './api.js';
import { debounce, fill, h, uniqueId } from './dom.js';
import { field } from './form.js';
import { avatar, nameOf } from './people.js';

const BEFORE_CARET = /(?:^|[\s(])@([A-Za-z0-9][A-Za-z0-9_.-]{0,49})$/;

/** A field whose text area suggests people to mention. */
export function suggestingField(name, label, textarea, hint) {
  const node = field(name, label, textarea, hint);
  const place = h('span');
  textarea.replaceWith(place);
  place.replaceWith(withMentions(textarea));
  return node;
}

/** Adds suggestions to a text area. Returns the node that has both. */
function withMentions(textarea) {
  const id = uniqueId('mentions');
  const list = h('ul', { class: 'suggestions', role: 'listbox', id, 'aria-label': 'People to mention', hidden: true });
  let people = [];
  let chosen = 0;
  let asked = 0;

  textarea.setAttribute('aria-autocomplete', 'list');
  textarea.setAttribute('aria-controls', id);
  textarea.addEventListener('input', debounce(200, suggest));
  textarea.addEventListener('keydown', onKey);
  textarea.addEventListener('blur', () => setTimeout(close, 150));

  const typed = () => BEFORE_CARET.exec(textarea.value.slice(0, textarea.selectionStart))?.[1];

  async function suggest() {
    const query = typed();
    asked += 1;
    const mine = asked;
    if (!query) return close();
    const found = await post('/users/search', { query, limit: 6 }).catch(() => []);
    // A later keystroke has asked again, or the mention is finished.
    if (mine !== asked || typed() !== query) return;
    people = found;
    chosen = 0;
    draw();
    if (people.length) announce(`${people.length} suggestions. Use the arrow keys to choose.`);
  }

  function draw() {
    list.hidden = people.length === 0;
    fill(list, people.map((person, index) =>
      h('li', {
        role: 'option',
        id: `${id}-${index}`,
        class: 'suggestion',
        'aria-selected': String(index === chosen),
        onmousedown: (event) => { event.preventDefault(); choose(index); },
      }, avatar(person, 'avatar-small'), h('span', {}, nameOf(person)), h('span', { class: 'muted' }, `@${person.username}`))));
    if (people.length) textarea.setAttribute('aria-activedescendant', `${id}-${chosen}`);
    else textarea.removeAttribute('aria-activedescendant');
  }

  function close() {
    people = [];
    draw();
  }

  function choose(index) {
    const { username } = people[index];
    const start = textarea.selectionStart - typed().length;
    textarea.setRangeText(`${username} `, start, textarea.selectionStart, 'end');
    close();
    textarea.dispatchEvent(new Event('input', { bubbles: true }));
  }

  function onKey(event) {
    if (people.length === 0) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) chosen = (chosen + moves[event.key] + people.length) % people.length;
    else if (event.key === 'Enter' || event.key === 'Tab') choose(chosen);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key in moves) draw();
  }

  return h('div', { class: 'suggesting' }, textarea, list);
}
