// The two feeds: ranked, and newest first. Both go on by cursor, and say when there is something new.

import { announce } from '../announce.js';
import { get } from '../api.js';
import { composer } from '../composer.js';
import { fill, h } from '../dom.js';
import { endlessList } from '../endless.js';
import { plural } from '../format.js';
import { postCard } from '../post-card.js';
import { learn, postById } from '../posts.js';
import { emptyPanel } from '../region.js';
import { scaleTo } from '../score.js';
import { isMe } from '../session.js';
import { checkMentions } from '../text.js';

const LOOK_EVERY_MS = 15_000;

export const rankedFeedView = (context) => feedView(context, {
  title: 'For you', path: '/posts/feed?explain=true', end: 'That is all for now.',
});

export const newestFeedView = (context) => feedView(context, {
  title: 'Newest', path: '/posts/feed?algorithm=false', end: 'These were all posts.',
});

function feedView({ signal }, { title, path, end }) {
  const list = h('div', { class: 'feed', role: 'feed', 'aria-label': `${title} posts` });
  const news = h('div', { class: 'news' });
  const pages = endlessList({
    path,
    signal,
    list,
    end,
    render: (post) => postCard(post, { signal }),
    empty: emptyPanel('Nothing here yet', 'Write the first post.'),
    prepare: (posts) => {
      scaleTo(posts);
      return checkMentions(posts.map((post) => post.content), signal);
    },
  });
  list.addEventListener('keydown', moveBetweenPosts);
  const node = h('div', {},
    h('header', { class: 'page-header' },
      h('h1', {}, title),
      h('nav', { class: 'tabs', 'aria-label': 'Feeds' }, tab('/', 'For you', title), tab('/newest', 'Newest', title))),
    composer((post) => pages.prepend(post)),
    news,
    pages.node);
  watchNewest({ node, news, pages, signal });
  return { title, node };
}

function tab(href, label, current) {
  return h('a', { href, 'aria-current': label === current ? 'page' : null }, label);
}

/** Page Up and Page Down go from post to post, as in every feed for screen readers. */
function moveBetweenPosts(event) {
  const post = event.target.closest('.post');
  const isText = event.target.matches('textarea, input, select');
  if (!post || isText || !['PageDown', 'PageUp'].includes(event.key)) return;
  const other = event.key === 'PageDown' ? post.nextElementSibling : post.previousElementSibling;
  const target = other?.querySelector('.post-byline a');
  if (!target) return;
  event.preventDefault();
  target.focus();
}

/** Looks for new posts while the page is shown, brings counts up to date, and offers to read the feed again. */
function watchNewest({ node, news, pages, signal }) {
  const seen = new Set();
  let isFirst = true;

  async function look() {
    if (document.hidden || !node.isConnected) return;
    const newest = await get('/posts/feed?algorithm=false&limit=20', { signal }).catch(() => []);
    const unknown = newest.filter(({ id, author_id: author }) => !seen.has(id) && !pages.has(id) && !isMe(author));
    for (const post of newest) if (postById(post.id)) learn(post);
    if (isFirst) newest.forEach(({ id }) => seen.add(id));
    else if (unknown.length) offer(unknown);
    isFirst = newest.length === 0;
  }

  function offer(unknown) {
    const label = `Show ${plural(unknown.length, 'new post')}`;
    if (news.textContent === label) return;
    fill(news, h('button', { type: 'button', class: 'button news-button', onclick: () => show(unknown) }, label));
    announce(plural(unknown.length, 'new post'));
  }

  function show(unknown) {
    fill(news);
    for (const post of unknown.toReversed()) {
      seen.add(post.id);
      pages.prepend(post);
    }
    scrollTo({ top: 0 });
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  look();
}
