// Texts of users as nodes: mentions become links, everything else stays text.

import { post } from './api.js';
import { h } from './dom.js';
import { personPath } from './people.js';
import { isSignedIn } from './session.js';

// As in docs/rules.md#mentions: no letter, digit or sign of an address right before the @.
const MENTION = /(?<![\p{L}\p{N}@/.=&#~+\-_%])@([A-Za-z0-9][A-Za-z0-9_.-]{2,})/gu;

// Whether a name belongs to a user, by the name in lower case.
const known = new Map();

const trimmed = (name) => name.replace(/[.-]+$/, '');

function mentionsIn(text) {
  return [...text.matchAll(MENTION)].map((found) => trimmed(found[1]).toLowerCase());
}

/** Asks the server which names in these texts belong to users, so that only those become links. */
export async function checkMentions(texts, signal) {
  if (!isSignedIn()) return;
  const names = [...new Set(texts.flatMap((text) => mentionsIn(text ?? '')))].filter((name) => !known.has(name));
  for (let at = 0; at < names.length; at += 50) {
    const part = names.slice(at, at + 50);
    try {
      const { valid_usernames: valid } = await post('/users/validate-batch', { usernames: part }, { signal });
      for (const name of part) known.set(name, valid.includes(name));
    } catch (error) {
      // Without an answer the names stay text.
      if (error.name === 'AbortError') throw error;
      return;
    }
  }
}

/** The text as nodes. */
export function linkedText(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(MENTION)) {
    const name = trimmed(found[1]);
    if (!known.get(name.toLowerCase())) continue;
    const end = found.index + 1 + name.length;
    parts.push(text.slice(at, found.index), h('a', { href: personPath(name), class: 'mention' }, `@${name}`));
    at = end;
  }
  parts.push(text.slice(at));
  return parts;
}
