// Requests to the HTTP API: the token, the two styles of success bodies, the one body of errors, and pages by cursor.

import { isSignedIn, setSession, token } from './session.js';

const BASE = '/api/v1';

/** A refusal. `message` can be shown as it is; `fields` has the reason for each refused field. */
export class ApiError extends Error {
  constructor(status, message, { code = '', fields = {} } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

const ENDED = 'Your session has ended. Sign in again.';
const UNREACHABLE = 'The server cannot be reached. Check your connection and try again.';

async function send(method, path, { body, headers = {}, signal } = {}) {
  const sent = new Headers(headers);
  if (token()) sent.set('Authorization', `Bearer ${token()}`);
  let payload = body;
  if (body !== undefined && !(body instanceof FormData)) {
    sent.set('Content-Type', 'application/json');
    payload = JSON.stringify(body);
  }
  const sentToken = token();
  let response;
  try {
    response = await fetch(BASE + path, { method, headers: sent, body: payload, signal, cache: 'no-store' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, UNREACHABLE, { code: 'unreachable' });
  }
  if (!response.ok) throw await refusal(response, sentToken);
  return response;
}

async function refusal(response, sentToken) {
  const problem = await response.json().catch(() => ({}));
  const hasEnded = response.status === 401 && sentToken;
  const error = new ApiError(response.status, hasEnded ? ENDED : problem.detail ?? `The server answered ${response.status}.`, {
    code: problem.error?.code,
    fields: problem.error?.details?.fields,
  });
  // Only the token of this request has ended, not one of a session that started meanwhile.
  if (hasEnded && sentToken === token() && isSignedIn()) setSession(null, ENDED);
  return error;
}

async function contents(response) {
  if (response.status === 204) return null;
  const body = await response.json();
  return body && body.success === true && 'data' in body ? body.data : body;
}

async function call(method, path, options) {
  return contents(await send(method, path, options));
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body, options) => call('POST', path, { body, ...options });
export const put = (path, body, options) => call('PUT', path, { body, ...options });
export const patch = (path, body, options) => call('PATCH', path, { body, ...options });
export const remove = (path, body, options) => call('DELETE', path, { body, ...options });

/** A value with the entity tag of its state, for a later `If-Match`. */
export async function getTagged(path, options) {
  const response = await send('GET', path, options);
  return { value: await contents(response), etag: response.headers.get('ETag') };
}

/** One page of a list: the body, and the path of the next page or null. */
export async function getPage(path, options) {
  const response = await send('GET', path, options);
  return { body: await contents(response), next: nextPath(response.headers.get('Link')) };
}

function nextPath(link) {
  const found = /<([^>]+)>;\s*rel="next"/.exec(link ?? '');
  if (!found) return null;
  const url = new URL(found[1], location.origin);
  return url.pathname.slice(BASE.length) + url.search;
}

/** A key that makes it safe to send a request again. */
export function idempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The address of an event stream, which `EventSource` opens without headers. */
export const streamAddress = (query) => `${BASE}/notifications/stream?${new URLSearchParams(query)}`;
