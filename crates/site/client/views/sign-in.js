// Signing in and signing up, and the first page of a guest.

import { get, post } from '../api.js';
import { h } from '../dom.js';
import { field, form, input } from '../form.js';
import { navigate } from '../router.js';
import { setSession } from '../session.js';

/** The first page of a guest: what this is, and both forms. */
export function welcomeView() {
  return {
    title: '',
    node: h('div', { class: 'welcome' },
      h('section', { class: 'welcome-words' },
        h('h1', {}, 'What are you grateful for today?'),
        h('p', { class: 'lead' }, 'Grateful is a calm place to write down what was good, and to give hearts to what others are thankful for.'),
        h('ul', { class: 'welcome-points' },
          h('li', {}, 'A feed that says why each post is where it is'),
          h('li', {}, 'Notifications in batches: twenty hearts are one line'),
          h('li', {}, 'Posts for everyone, or only for you'))),
      h('section', { class: 'card', 'aria-labelledby': 'signup-title' },
        h('h2', { id: 'signup-title' }, 'Create an account'),
        signUpForm('/'),
        h('p', { class: 'switch' }, 'You have an account? ', h('a', { href: '/signin' }, 'Sign in')))),
  };
}

export function signInView({ query }) {
  const next = localPath(query.get('next'));
  return {
    title: 'Sign in',
    node: page('Sign in', signInForm(next),
      h('p', { class: 'switch' }, 'New here? ', h('a', { href: `/signup?next=${encodeURIComponent(next)}` }, 'Create an account'))),
  };
}

export function signUpView({ query }) {
  const next = localPath(query.get('next'));
  return {
    title: 'Create an account',
    node: page('Create an account', signUpForm(next),
      h('p', { class: 'switch' }, 'You have an account? ', h('a', { href: `/signin?next=${encodeURIComponent(next)}` }, 'Sign in'))),
  };
}

function page(title, ...contents) {
  return h('section', { class: 'card narrow' }, h('h1', {}, title), contents);
}

/** Only paths of this site, so that a link cannot lead a user elsewhere after signing in. */
function localPath(path) {
  if (!path || !URL.canParse(path, location.origin)) return '/';
  const url = new URL(path, location.origin);
  const isHere = url.origin === location.origin && !['/signin', '/signup'].includes(url.pathname);
  return isHere ? url.pathname : '/';
}

function signInForm(next) {
  const email = input({ type: 'email', autocomplete: 'email', required: true });
  const password = input({ type: 'password', autocomplete: 'current-password', required: true });
  return form({
    label: 'Sign in',
    submit: 'Sign in',
    async run() {
      const { access_token: token } = await post('/auth/login', { email: email.value, password: password.value });
      const user = await get('/auth/session', { headers: { Authorization: `Bearer ${token}` } });
      enter(token, user, next);
    },
  }, field('email', 'Email', email), field('password', 'Password', password));
}

function signUpForm(next) {
  const username = input({ autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true });
  const email = input({ type: 'email', autocomplete: 'email', required: true });
  const password = input({ type: 'password', autocomplete: 'new-password', required: true });
  return form({
    label: 'Create an account',
    submit: 'Sign up',
    async run() {
      const body = { username: username.value, email: email.value, password: password.value };
      const { access_token: token, ...user } = await post('/auth/signup', body);
      enter(token, user, next);
    },
  },
  field('username', 'Username', username, '3 to 50 letters, digits, dots, dashes or underscores'),
  field('email', 'Email', email, 'Only you can see it'),
  field('password', 'Password', password, 'At least 8 characters'));
}

function enter(token, { id, username }, next) {
  history.replaceState(null, '', next);
  setSession({ token, user: { id, username } });
}
