// Who is signed in in this tab. The token is in sessionStorage: it ends with the tab and no other site can read it.

const KEY = 'grateful.session';

export const session = new EventTarget();
let current = read();

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export const token = () => current?.token ?? null;
export const isSignedIn = () => current !== null;

/** The signed-in user as `{id, username}`, or null. */
export const me = () => current?.user ?? null;
export const isMe = (id) => current?.user.id === id;

/** Starts a session, or ends it with `null`. `reason` is shown to the user. */
export function setSession(next, reason = null) {
  current = next;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  session.dispatchEvent(new CustomEvent('change', { detail: { reason } }));
}

/** Remembers a new name of the signed-in user. */
export function renameMe(username) {
  if (!current || current.user.username === username) return;
  current = { ...current, user: { ...current.user, username } };
  sessionStorage.setItem(KEY, JSON.stringify(current));
  session.dispatchEvent(new CustomEvent('rename'));
}
