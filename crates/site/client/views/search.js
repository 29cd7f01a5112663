// Searching for people.

import { post } from '../api.js';
import { debounce, fill, h } from '../dom.js';
import { input } from '../form.js';
import { announce } from '../announce.js';
import { followButton, followStates, personRow } from '../people.js';
import { emptyPanel, errorPanel } from '../region.js';

const MOST = 30;

export function searchView({ query, signal }) {
  const control = input({ type: 'search', id: 'search', name: 'q', value: query.get('q') ?? '', autocomplete: 'off', placeholder: 'A name or @username', oninput: debounce(250, () => search()) });
  const results = h('ul', { class: 'people', 'aria-label': 'Results' });
  const message = h('div', {});
  let asked = 0;

  async function search() {
    asked += 1;
    const mine = asked;
    const text = control.value.trim();
    // The way back from a person leads to these results.
    if (location.pathname === '/search') history.replaceState(history.state, '', text ? `/search?q=${encodeURIComponent(text)}` : '/search');
    try {
      const people = text ? await post('/users/search', { query: text, limit: MOST }, { signal }) : [];
      const states = await followStates(people, signal);
      if (mine !== asked) return;
      fill(results, people.map((person) => personRow(person, person.bio, followButton(person, states[person.id]?.follow_status ?? null))));
      fill(message, text && people.length === 0 ? emptyPanel('No one found', 'Try another part of the name.') : []);
      if (text) announce(people.length === 1 ? '1 person found' : `${people.length} people found`);
    } catch (error) {
      if (!signal.aborted) fill(message, errorPanel(error, search));
    }
  }

  if (control.value) search();
  return {
    title: 'Search',
    node: h('section', { class: 'card' },
      h('h1', {}, 'Search'),
      h('form', { role: 'search', onsubmit: (event) => { event.preventDefault(); search(); } },
        h('label', { for: 'search', class: 'visually-hidden' }, 'Search for people'), control),
      message,
      results),
  };
}
