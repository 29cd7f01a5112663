// Signs up, posts, hearts and reads notifications with the types that openapi-typescript generates.
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "./schema.js";

const baseUrl = process.argv[2] ?? "";
const guest = createClient<paths>({ baseUrl });

/** The type itself if it is a closed set of strings, otherwise a type without values. */
type Closed<T extends string> = string extends T ? never : T;

/** The body of a response that must have this status. */
function expect<T>(status: number, result: { data?: T; error?: unknown; response: Response }): NonNullable<T> {
  assert.equal(result.response.status, status, JSON.stringify(result.error));
  assert.ok(result.data);
  return result.data;
}

async function signUp(username: string) {
  const body = { username, email: `${username}@example.org`, password: "correct horse" };
  const account = expect(201, await guest.POST("/api/v1/auth/signup", { body })).data;
  assert.equal(account.username, username);
  const headers = { Authorization: `Bearer ${account.access_token}` };
  return { id: account.id, client: createClient<paths>({ baseUrl, headers }) };
}

const ana = await signUp("ana-typescript");
const ben = await signUp("ben-typescript");

const body = { content: "For the bus driver who waited." };
const post = expect(201, await ana.client.POST("/api/v1/posts", { body }));
assert.equal(post.author.id, ana.id);
assert.equal(post.content, body.content);
assert.equal(post.title, null);
const postType: Closed<typeof post.post_type> = post.post_type;
assert.equal(postType, "spontaneous");

const path = { id: post.id };
const heart = expect(201, await ben.client.POST("/api/v1/posts/{id}/heart", { params: { path } }));
assert.deepEqual(heart, { hearts_count: 1, is_hearted: true, post_id: post.id });
const again = await ben.client.POST("/api/v1/posts/{id}/heart", { params: { path } });
assert.ok(again.error);
const code: Closed<typeof again.error.error.code> = again.error.error.code;
assert.equal(code, "already_exists");
assert.equal(again.error.detail, "Post already hearted by user");

const query = { limit: 10, unread_only: true };
const notifications = expect(200, await ana.client.GET("/api/v1/notifications", { params: { query } }));
assert.equal(notifications.length, 1);
const [notification] = notifications;
assert.ok(notification);
const type: Closed<typeof notification.type> = notification.type;
assert.equal(type, "like");
assert.equal(notification.post_id, post.id);
assert.equal(notification.data.post_id, post.id);
assert.equal(notification.from_user.id, String(ben.id));
assert.equal(notification.read, false);

const params = { path: { id: notification.id } };
assert.equal(expect(200, await ana.client.POST("/api/v1/notifications/{id}/read", { params })).success, true);
const summary = expect(200, await ana.client.GET("/api/v1/notifications/summary"));
assert.deepEqual(summary, { unread_count: 0, total_count: 1 });
