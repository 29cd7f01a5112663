// The page for operators: what this server does now, from its own metrics.

import { fill, h } from '../dom.js';
import { plot } from './plot.js';
import { parse, quantile, sum } from './prometheus.js';

const INTERVAL_MS = 2000;
const POINTS = 120;
const MOST_ROUTES = 12;
// What this page itself and the checks of a load balancer ask for.
const OWN_ROUTES = ['/metrics', '/readyz', '/livez', '/health'];

const isOfUsers = ({ route }) => !OWN_ROUTES.includes(route);
const number = (value) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
const perSecond = (value) => `${number(value)} /s`;
const milliseconds = (value) => `${number(value * 1000)} ms`;
const percent = (value) => `${number(value * 100)} %`;

// Each plot reads its value from the pages before and now and the seconds between them.
const PLOTS = [
  ['Requests', 'Without those of this page and of health checks', perSecond, rate('grateful_http_requests_total', isOfUsers)],
  ['Response time', 'Half of the requests are faster', milliseconds, share(0.5)],
  ['Slow responses', '95 % of the requests are faster', milliseconds, share(0.95)],
  ['Refused or failed', 'Responses with 429 and 5xx', perSecond,
    rate('grateful_http_requests_total', ({ status }) => status === '429' || status >= '500')],
  ['Statements', 'Sent to PostgreSQL, BEGIN and COMMIT included', perSecond, rate('grateful_statement_duration_seconds_count')],
  ['Database time', 'Time in statements per second; 100 % is one connection', percent, rate('grateful_statement_duration_seconds_sum')],
  ['Busy connections', 'Of all pools', number, gauge('grateful_pool_connections', ({ state }) => state === 'busy')],
  ['Reads under way', 'On shared connections', number, gauge('grateful_reads_in_flight')],
  ['Waiting for a connection', 'Requests and jobs', number, gauge('grateful_pool_waiting')],
  ['Notifications', 'Acts that notify, also in a batch', perSecond,
    rate('grateful_notifications_total', ({ outcome }) => ['started', 'converted', 'joined'].includes(outcome))],
  ['Batches formed', 'In the last seconds', number, increase('grateful_notifications_total', ({ outcome }) => outcome === 'converted')],
  ['Open streams', 'Clients that wait for notifications', number, gauge('grateful_streams_open')],
  ['Images and passwords', 'Being processed', number,
    (before, now) => sum(now, 'grateful_images_processing') + sum(now, 'grateful_password_hashes_running')],
];

function gauge(name, passes) {
  return (before, now) => sum(now, name, passes);
}

function increase(name, passes) {
  return (before, now) => Math.max(0, sum(now, name, passes) - sum(before, name, passes));
}

function rate(name, passes) {
  const added = increase(name, passes);
  return (before, now, seconds) => added(before, now) / seconds;
}

function share(of) {
  return (before, now) => quantile(of, before, now, 'grateful_http_request_duration_seconds', isOfUsers);
}

const plots = PLOTS.map(([title, hint, format, read]) => ({ ...plot(title, hint, format, POINTS), read }));
let before = null;
let timer;

async function update() {
  clearTimeout(timer);
  try {
    const [text, isReady] = await Promise.all([readMetrics(), readiness()]);
    const now = { samples: parse(text), at: performance.now() };
    showState(isReady ? 'Ready: the database answers, its schema is current, and images can be stored' : 'Not ready: the database or the store of images is unavailable', isReady);
    show(now);
    before = now;
  } catch (error) {
    before = null;
    for (const plot of plots) plot.add(null);
    showState(error.message, false);
  }
  if (!document.hidden) timer = setTimeout(update, INTERVAL_MS);
}

async function readMetrics() {
  let response;
  try {
    response = await fetch('/metrics', { cache: 'no-store' });
  } catch {
    throw new Error('The server does not answer');
  }
  if (response.status === 404) throw new Error('This server records no metrics: GRATEFUL_METRICS is off');
  if (!response.ok) throw new Error(`The metrics cannot be read: the server answered ${response.status}`);
  return response.text();
}

const readiness = () => fetch('/readyz', { cache: 'no-store' }).then(({ ok }) => ok, () => false);

function show(now) {
  showFacts(now.samples);
  showRoutes(now.samples);
  if (!before) return;
  const seconds = (now.at - before.at) / 1000;
  for (const plot of plots) plot.add(plot.read(before.samples, now.samples, seconds));
}

function showState(text, isGood) {
  const state = document.getElementById('state');
  // Said aloud only when it changes.
  if (state.textContent !== text) fill(state, text);
  state.classList.toggle('is-bad', !isGood);
}

function showFacts(samples) {
  const version = samples.get('grateful_build_info')?.[0].labels.version;
  const notifications = (outcome) => sum(samples, 'grateful_notifications_total', (labels) => labels.outcome === outcome);
  const facts = [
    ['Version', version ?? 'unknown'],
    ['Running for', duration(Date.now() / 1000 - sum(samples, 'grateful_start_time_seconds'))],
    ['Requests', number(sum(samples, 'grateful_http_requests_total', isOfUsers))],
    ['Batches formed', number(notifications('converted'))],
    ['Notifications that joined one', number(notifications('joined'))],
    ['Slow statements', number(sum(samples, 'grateful_statements_slow_total'))],
    ...pools(samples),
    ['Shared connections for reads', number(sum(samples, 'grateful_read_connections'))],
  ];
  fill(document.getElementById('facts'), facts.map(([name, value]) => h('div', { class: 'card fact' }, h('dt', {}, name), h('dd', {}, value))));
}

/** Each pool of connections, those to replicas included. */
function pools(samples) {
  return (samples.get('grateful_pool_connections_max') ?? []).map(({ labels: { pool }, value: most }) => {
    const connections = (state) => sum(samples, 'grateful_pool_connections', (labels) => labels.pool === pool && labels.state === state);
    const [busy, idle] = [connections('busy'), connections('idle')];
    return [`Connections: ${pool}`, `${number(busy)} busy, ${number(idle)} idle, ${number(most)} at most`];
  });
}

function showRoutes(samples) {
  const routes = new Map();
  for (const [name, key] of [['count', 'requests'], ['sum', 'seconds']]) {
    for (const { labels, value } of samples.get(`grateful_http_request_duration_seconds_${name}`) ?? []) {
      if (!isOfUsers(labels)) continue;
      const title = `${labels.method} ${labels.route}`;
      routes.set(title, { ...routes.get(title), [key]: value });
    }
  }
  const busiest = [...routes].sort(([, a], [, b]) => b.requests - a.requests).slice(0, MOST_ROUTES);
  const rows = busiest.map(([title, { requests, seconds }]) => h('tr', {},
    h('th', { scope: 'row' }, title), h('td', {}, number(requests)), h('td', {}, milliseconds(seconds / requests))));
  fill(document.getElementById('routes'), rows.length === 0
    ? h('p', { class: 'muted' }, 'No requests yet')
    : h('table', {},
      h('thead', {}, h('tr', {}, ['Route', 'Requests', 'Mean time'].map((title) => h('th', { scope: 'col' }, title)))),
      h('tbody', {}, rows)));
}

function duration(seconds) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  const first = Math.max(0, units.findIndex(([, length]) => seconds >= length));
  return units.slice(first, first + 2).map(([unit, length], index) => {
    const whole = Math.floor((index === 0 ? seconds : seconds % units[first][1]) / length);
    return `${whole} ${unit}`;
  }).join(' ');
}

fill(document.getElementById('plots'), plots.map(({ node }) => node));
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  // The time in the background is a gap.
  before = null;
  update();
});
update();
