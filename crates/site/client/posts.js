// The posts that are shown, by id, so that a heart given on one page is there on all. Changes appear at once and are
// taken back when the server refuses them.

import { alertError } from './announce.js';
import { get, post as send, remove } from './api.js';

const known = new Map();
const changes = new EventTarget();
// The last request of each kind and post, so that they reach the server in the order of the clicks.
const queues = new Map();

/** Adds what the server sent, and returns the newest state. */
export function learn(post) {
  const merged = { ...known.get(post.id), ...post };
  known.set(post.id, merged);
  changes.dispatchEvent(new CustomEvent(post.id, { detail: merged }));
  return merged;
}

export const postById = (id) => known.get(id);

/** Calls `run` with each new state of a post, until `signal` is aborted. A deleted post is `null`. */
export function watch(id, run, signal) {
  changes.addEventListener(id, (event) => run(event.detail), { signal });
}

/** Reads a post again, for instance after a refusal. */
export async function refresh(id) {
  return learn(await get(`/posts/${id}`));
}

/** Makes `change`, sends it, and takes it back if the server refuses, unless a later click has decided otherwise. */
async function optimistically(id, kind, change, request) {
  const key = `${kind} ${id}`;
  const before = known.get(id);
  const taken = Object.fromEntries(Object.keys(change).map((name) => [name, before[name]]));
  learn({ id, ...change });
  const answered = (queues.get(key) ?? Promise.resolve()).then(request);
  const settled = answered.catch(() => {});
  const isLast = () => queues.get(key) === settled;
  queues.set(key, settled);
  try {
    const result = await answered;
    if (result && isLast()) learn({ id, ...result });
  } catch (error) {
    if (isLast()) learn({ id, ...taken });
    alertError(error);
    // Another device may have been faster.
    if (error.status === 409 || error.status === 404) refresh(id).catch(() => {});
  } finally {
    if (isLast()) queues.delete(key);
  }
}

/** Adds the user's heart, or removes it. */
export function toggleHeart(id) {
  const { is_hearted: isHearted, hearts_count: count } = known.get(id);
  const change = { is_hearted: !isHearted, hearts_count: Math.max(0, count + (isHearted ? -1 : 1)) };
  return optimistically(id, 'heart', change, async () => {
    const path = `/posts/${id}/heart`;
    const { is_hearted, hearts_count } = await (isHearted ? remove(path) : send(path));
    return { is_hearted, hearts_count };
  });
}

/** Sets the user's reaction, or removes it with `null`. */
export function react(id, code) {
  const { current_user_reaction: before, reactions_count: count } = known.get(id);
  const added = (code ? 1 : 0) - (before ? 1 : 0);
  const change = { current_user_reaction: code, reactions_count: Math.max(0, count + added) };
  const path = `/posts/${id}/reactions`;
  return optimistically(id, 'reaction', change, async () => {
    await (code ? send(path, { emoji_code: code }) : remove(path));
  });
}

/** Changes the number of comments by what this user did. */
export function countComments(id, added) {
  const post = known.get(id);
  if (post) learn({ id, comments_count: Math.max(0, post.comments_count + added) });
}

/** Forgets a deleted post everywhere. */
export function forget(id) {
  known.delete(id);
  changes.dispatchEvent(new CustomEvent(id, { detail: null }));
}

/** Forgets all posts, since another user sees them with other hearts. */
export const forgetAll = () => known.clear();

/** The reactions to choose from. The server knows `heart_face` too, which looks the same as `heart_eyes`. */
export const REACTIONS = [
  ['hug', '🤗', 'Hug'],
  ['heart_eyes', '😍', 'Love'],
  ['pray', '🙏', 'Thank you'],
  ['clap', '👏', 'Applause'],
  ['muscle', '💪', 'Strength'],
  ['star', '⭐', 'Star'],
  ['fire', '🔥', 'Fire'],
  ['joy', '😂', 'Joy'],
  ['thinking', '🤔', 'Thoughtful'],
];

/** The emoji of a code. */
export function emojiOf(code) {
  return REACTIONS.find(([known]) => known === code)?.[1] ?? '😍';
}
