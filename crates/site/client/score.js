// Why is this here? The score of a post in the ranked feed, as bars.

import { fill, h, uniqueId } from './dom.js';
import { plural } from './format.js';
import { isMe } from './session.js';

const HALF_LIFE_HOURS = 24;
const DOUBLE = 2;

// The largest values in the feed so far, which the longest bars stand for.
const largest = { worth: 1, total: 1 };

/** Lets the bars of a feed be compared: its largest worth and score are the longest bars. */
export function scaleTo(posts) {
  for (const { score } of posts) {
    if (!score) continue;
    largest.worth = Math.max(largest.worth, score.worth);
    largest.total = Math.max(largest.total, score.total);
  }
}

/** A button and the panel it opens. */
export function whyIsThisHere(post) {
  const id = uniqueId('why');
  const panel = h('section', { class: 'why', id, hidden: true, 'aria-label': 'Why is this here?' });
  const button = h('button', {
    type: 'button',
    class: 'link-button why-button',
    'aria-expanded': 'false',
    'aria-controls': id,
    onclick() {
      panel.hidden = !panel.hidden;
      button.setAttribute('aria-expanded', String(!panel.hidden));
      if (!panel.hidden) fill(panel, explanation(post));
    },
  }, 'Why is this here?');
  return { button, panel };
}

function explanation({ score, author, hearts_count: hearts, reactions_count: reactions, shares_count: shares }) {
  const age = HALF_LIFE_HOURS * Math.log2(1 / score.decay);
  return [
    h('p', { class: 'why-slot' }, slotText(score)),
    h('dl', { class: 'bars' },
      bar('Worth', number(score.worth), score.worth / largest.worth, worthText(score, { hearts, reactions, shares })),
      bar('Relationship', `× ${number(score.relationship)}`, score.relationship / DOUBLE,
        relationshipText(score, author)),
      bar('Freshness', `× ${number(score.decay)}`, score.decay, `${hoursText(age)} old: half is left after each day`),
      bar('Score', number(score.total), score.total / largest.total, 'The three multiplied', 'bar-total')),
  ];
}

function slotText({ slot }) {
  return slot === 'fresh'
    ? 'It has one of the places for new posts: every fifth place goes to the newest post that you have not had yet, with any score.'
    : 'It has a ranked place: of the posts you have not had yet, it has one of the highest scores.';
}

function relationshipText({ relationship }, author) {
  if (isMe(author.id)) return 'It is your own post';
  return relationship > 1 ? `You follow ${author.name}, which counts double` : `You do not follow ${author.name}`;
}

function worthText({ engagement, bonus, worth }, counts) {
  const parts = [`${plural(counts.hearts, 'heart')}, ${plural(counts.reactions, 'reaction')} × 1.5, ${plural(counts.shares, 'share')} × 4`];
  if (bonus > 0) parts.push(`${number(bonus)} for its type`);
  if (worth > engagement + bonus) parts.push('a new post starts with 0.5');
  return parts.join(', and ');
}

function bar(name, value, share, text, className = '') {
  const fillBar = h('span', { class: 'bar-fill' });
  // Set by script, since the policy of the page forbids style attributes.
  fillBar.style.inlineSize = `${Math.round(Math.min(1, Math.max(0.01, share)) * 100)}%`;
  return h('div', { class: `bar ${className}` },
    h('dt', {}, name),
    h('dd', {},
      h('span', { class: 'bar-value' }, value),
      h('span', { class: 'bar-track', 'aria-hidden': 'true' }, fillBar),
      h('span', { class: 'bar-text' }, text)));
}

function number(value) {
  const digits = value >= 10 ? 0 : value >= 1 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

function hoursText(hours) {
  if (hours < 1) return 'Less than an hour';
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}
