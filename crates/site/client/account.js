// The parts of the settings about the account: password, devices, blocked people, export and deletion.

import { alertError, notice } from './announce.js';
import { get, post, put, remove } from './api.js';
import { h } from './dom.js';
import { openDialog } from './dialog.js';
import { endlessList } from './endless.js';
import { field, form, input } from './form.js';
import { relativeTime } from './format.js';
import { personRow } from './people.js';
import { loadInto } from './region.js';
import { me, setSession } from './session.js';

/** A titled part of the settings. */
export function section(title, ...children) {
  const id = `settings-${title.toLowerCase().replaceAll(' ', '-')}`;
  return h('section', { class: 'card', 'aria-labelledby': id }, h('h2', { id }, title), children);
}

export function passwordSection() {
  const current = input({ type: 'password', autocomplete: 'current-password' });
  const next = input({ type: 'password', autocomplete: 'new-password' });
  return section('Password', form({
    label: 'Password',
    submit: 'Change password',
    async run(element) {
      await put('/auth/password', { current_password: current.value, new_password: next.value });
      element.reset();
      notice('Your password is changed. All other devices are signed out.');
    },
  }, accountName(), field('current_password', 'Current password', current), field('new_password', 'New password', next, 'At least 8 characters')));
}

/** For password managers, which look for the account that a password belongs to. */
function accountName() {
  return h('input', { type: 'text', autocomplete: 'username', value: me().username, readonly: true, hidden: true });
}

export function devicesSection(signal) {
  const region = h('div', {});

  async function list() {
    const sessions = await get('/auth/sessions', { signal });
    return h('ul', { class: 'people' }, sessions.map((device) => h('li', { class: 'person-row' },
      h('div', { class: 'person-names' },
        h('span', { class: 'person-name' }, device.current ? 'This device' : 'Another device'),
        h('p', { class: 'person-text' }, device.user_agent ?? 'Unknown program'),
        h('span', { class: 'muted' }, `Used ${relativeTime(device.last_used_at)}`)),
      !device.current && h('button', {
        type: 'button', class: 'button button-small', 'aria-label': `Sign out the device used ${relativeTime(device.last_used_at)}`,
        onclick: () => end(device),
      }, 'Sign out'))));
  }

  async function end(device) {
    try {
      await remove(`/auth/sessions/${device.id}`);
      notice('The device is signed out.');
    } catch (error) {
      alertError(error);
    }
    loadInto(region, signal, list);
  }

  loadInto(region, signal, list);
  return section('Devices', region);
}

export function blockedSection(signal) {
  const pages = endlessList({
    path: '/users/me/blocks',
    signal,
    list: h('ul', { class: 'people' }),
    items: (body) => body.blocks,
    render: (person) => {
      const row = personRow(person, null, h('button', {
        type: 'button', class: 'button button-small', 'aria-label': `Unblock ${person.username}`, onclick: () => unblock(person, row),
      }, 'Unblock'));
      return row;
    },
    empty: h('p', { class: 'muted' }, 'You have blocked no one.'),
  });
  return section('Blocked people', pages.node);
}

async function unblock(person, row) {
  row.hidden = true;
  try {
    await remove(`/users/${person.id}/block`);
    row.remove();
    notice(`${person.username} is no longer blocked.`);
  } catch (error) {
    row.hidden = false;
    alertError(error);
  }
}

export function accountSection() {
  return section('Account',
    h('div', { class: 'form-actions' },
      h('button', { type: 'button', class: 'button', onclick: signOut }, 'Sign out'),
      h('button', { type: 'button', class: 'button', onclick: download }, 'Download your data'),
      h('button', { type: 'button', class: 'button button-danger', onclick: openDeletion }, 'Delete account')));
}

/** Ends the session on the server; in this tab it ends in any case. */
export async function signOut() {
  await post('/auth/logout').catch(() => {});
  setSession(null);
}

async function download() {
  try {
    const data = JSON.stringify(await get('/users/me/export'), null, 2);
    const address = URL.createObjectURL(new Blob([data], { type: 'application/json' }));
    h('a', { href: address, download: 'grateful.json' }).click();
    // Some browsers read it only after this function has returned.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    alertError(error);
  }
}

function openDeletion() {
  const password = input({ type: 'password', autocomplete: 'current-password' });
  openDialog('Delete account', (close) => form({
    label: 'Delete account',
    submit: 'Delete everything',
    async run() {
      await remove('/users/me', { password: password.value });
      close();
      setSession(null, 'Your account is deleted.');
    },
  }, h('p', {}, 'Your posts, comments, hearts and photos are deleted with it. This cannot be undone.'), accountName(), field('password', 'Password', password)));
}
