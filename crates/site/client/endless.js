// Lists that go on: the next page is read by its cursor when the end of the list comes near, or with a button.

import { getPage } from './api.js';
import { fill, h } from './dom.js';
import { errorPanel, skeleton } from './region.js';

const AHEAD = '900px';

/**
 * A list of pages from `path`. `items` takes the items out of a body, `render` makes the node of one, `empty` is shown
 * if there are none. `after` is awaited before the first page is read, and `prepare` with the items of each page before
 * they are shown.
 */
export function endlessList({ path, signal, items = (body) => body, render, empty, end, list, after, prepare }) {
  const foot = h('div', { class: 'list-foot' });
  const more = h('button', { type: 'button', class: 'button', onclick: () => readOn() }, 'Load more');
  const shown = new Set();
  let next = path;
  let isLoading = false;
  // How often the list was begun again, so that a page that was asked for before is not shown.
  let turn = 0;

  async function readOn() {
    if (isLoading || next === null) return;
    const mine = turn;
    // The button that was pressed is about to be replaced.
    const hadFocus = foot.contains(document.activeElement);
    isLoading = true;
    list.setAttribute('aria-busy', 'true');
    fill(foot, skeleton());
    try {
      await after?.();
      const page = await getPage(next, { signal });
      const found = items(page.body);
      await prepare?.(found);
      if (mine !== turn) return;
      next = page.next;
      const before = list.childElementCount;
      append(found);
      fill(foot, footOf());
      if (hadFocus) focusItem(before);
    } catch (error) {
      if (!signal.aborted && mine === turn) fill(foot, errorPanel(error, readOn));
      return;
    } finally {
      if (mine === turn) isLoading = false;
      list.setAttribute('aria-busy', String(isLoading));
    }
    watchEnd();
  }

  function append(found) {
    for (const item of found) {
      if (shown.has(item.id)) continue;
      shown.add(item.id);
      list.append(render(item));
    }
    number();
  }

  /** Lets screen readers say where in a feed a post is; nothing knows how long a feed is. */
  function number() {
    if (list.getAttribute('role') !== 'feed') return;
    [...list.children].forEach((item, index) => {
      item.setAttribute('aria-posinset', index + 1);
      item.setAttribute('aria-setsize', -1);
    });
  }

  /** The keyboard goes on at the first item of the new page. */
  function focusItem(index) {
    const item = list.children[index];
    if (!item) return;
    item.tabIndex = -1;
    item.focus({ preventScroll: true });
  }

  function footOf() {
    if (next !== null) return more;
    if (list.childElementCount === 0) return empty;
    return end ? h('p', { class: 'list-end' }, end) : [];
  }

  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) readOn();
  }, { rootMargin: AHEAD });

  /** An observer reports only changes, so one that still sees the end after a short page has to look again. */
  function watchEnd() {
    observer.unobserve(foot);
    if (next !== null) observer.observe(foot);
  }

  signal.addEventListener('abort', () => observer.disconnect());
  readOn();
  return {
    node: [list, foot],
    /** Puts an item first, unless it is there. */
    prepend(item) {
      if (shown.has(item.id)) return;
      shown.add(item.id);
      list.prepend(render(item));
      number();
      if (next === null) fill(foot, footOf());
    },
    /** Puts an item last, unless it is there: one that the user has just added. */
    append(item) {
      append([item]);
      if (next === null) fill(foot, footOf());
    },
    /** Lets an item that was taken away come again. */
    forget: (id) => shown.delete(id),
    has: (id) => shown.has(id),
    /** Reads the list from its start. */
    reload() {
      turn += 1;
      next = path;
      isLoading = false;
      shown.clear();
      fill(list);
      return readOn();
    },
  };
}
