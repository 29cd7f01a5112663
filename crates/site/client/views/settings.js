// The settings: profile and photo, privacy, notifications, appearance, password, devices, blocked people, account.

import { notice } from '../announce.js';
import { get, put } from '../api.js';
import { h } from '../dom.js';
import { checkbox, field, form, input } from '../form.js';
import { personPath } from '../people.js';
import { photoSection } from '../photo.js';
import { loadInto } from '../region.js';
import { me, renameMe } from '../session.js';
import { accountSection, blockedSection, devicesSection, passwordSection, section } from '../account.js';

const NOTIFICATION_TYPES = [
  ['like', 'Hearts'], ['emoji_reaction', 'Reactions'], ['comment', 'Comments'], ['comment_reply', 'Replies'],
  ['mention', 'Mentions'], ['post_shared', 'Shares'], ['follow', 'New followers'],
  ['follow_request', 'Follow requests'], ['follow_accepted', 'Accepted requests'],
];
const THEMES = [['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']];

export function settingsView({ signal }) {
  const region = h('div', { class: 'stack' });
  loadInto(region, signal, async () => {
    const profile = await get('/users/me/profile', { signal });
    return [
      profileSection(profile),
      photoSection(profile),
      preferencesSection(profile.profile_preferences),
      appearanceSection(),
      passwordSection(),
      devicesSection(signal),
      blockedSection(signal),
      accountSection(),
    ];
  });
  return {
    title: 'Settings',
    node: h('div', { class: 'stack' },
      h('header', { class: 'page-header' },
        h('h1', {}, 'Settings'),
        h('a', { class: 'button button-small', href: personPath(me().username) }, 'Your page')),
      region),
  };
}

const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

function profileSection(profile) {
  const username = input({ value: profile.username, autocapitalize: 'none', spellcheck: 'false' });
  const name = input({ value: profile.display_name ?? '' });
  const bio = h('textarea', { rows: 3, value: profile.bio ?? '' });
  const city = input({ value: profile.city ?? '' });
  const institutions = h('textarea', { rows: 2, value: profile.institutions.join('\n') });
  const websites = h('textarea', { rows: 2, value: profile.websites.join('\n') });
  return section('Profile', form({
    label: 'Profile',
    submit: 'Save profile',
    async run() {
      const saved = await put('/users/me/profile', {
        username: username.value,
        display_name: name.value || null,
        bio: bio.value || null,
        city: city.value || null,
        institutions: lines(institutions.value),
        websites: lines(websites.value),
      });
      renameMe(saved.username);
      notice('Your profile is saved.');
    },
  },
  field('display_name', 'Name', name),
  field('username', 'Username', username),
  field('bio', 'About you', bio),
  field('city', 'City', city),
  field('institutions', 'Schools and work', institutions, 'One on each line'),
  field('websites', 'Websites', websites, 'One on each line, beginning with https://')));
}

function preferencesSection(preferences) {
  const approve = checkbox('Approve followers myself', preferences.approve_followers === true, { name: 'approve_followers' });
  const types = NOTIFICATION_TYPES.map(([type, label]) => [type, checkbox(label, preferences.notifications?.[type] !== false, { name: type })]);
  return section('Privacy and notifications', form({
    label: 'Privacy and notifications',
    submit: 'Save preferences',
    async run() {
      const notifications = Object.fromEntries(types.map(([type, { control }]) => [type, control.checked]));
      await put('/users/me/profile', { profile_preferences: { approve_followers: approve.control.checked, notifications } });
      notice('Your preferences are saved.');
    },
  },
  approve.node,
  h('fieldset', {}, h('legend', {}, 'Notify me of'), h('div', { class: 'checks' }, types.map(([, { node }]) => node)))));
}

function appearanceSection() {
  const root = document.documentElement;
  const choose = (theme) => root.dispatchEvent(new CustomEvent('grateful:theme', { detail: theme }));
  return section('Appearance', h('fieldset', { class: 'radios' },
    h('legend', {}, 'Colours'),
    THEMES.map(([theme, label]) => h('label', { class: 'check' },
      h('input', { type: 'radio', name: 'theme', value: theme, checked: root.dataset.theme === theme, onchange: () => choose(theme) }),
      h('span', {}, label)))));
}
