// A small plot of the last minutes.

import { fill, h } from '../dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 240;
const HEIGHT = 56;

/** A plot with its newest value. `format` writes a value as text, `points` is how many values it shows. */
export function plot(title, hint, format, points) {
  const values = [];
  const value = h('p', { class: 'plot-value' }, '–');
  const highest = h('p', { class: 'plot-highest muted' });
  const line = shape('path', 'plot-line');
  const area = shape('path', 'plot-area');
  const picture = shape('svg', 'plot-picture');
  picture.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute('preserveAspectRatio', 'none');
  picture.setAttribute('aria-hidden', 'true');
  picture.append(area, line);
  const node = h('li', { class: 'card plot' }, h('h3', {}, title), value, picture, highest, h('p', { class: 'plot-hint muted' }, hint));

  /** Adds the newest value; null is a gap. */
  function add(newest) {
    values.push(newest);
    if (values.length > points) values.shift();
    const known = values.filter((value) => value !== null);
    const top = Math.max(...known, 0);
    fill(value, newest === null ? '–' : format(newest));
    fill(highest, known.length ? `highest ${format(top)}` : 'nothing yet');
    const lines = segments(values, top || 1, points);
    line.setAttribute('d', lines.map((points) => `M${points.map(([x, y]) => `${x} ${y}`).join('L')}`).join(''));
    area.setAttribute('d', lines.map(closed).join(''));
  }

  return { node, add };
}

function shape(name, className) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute('class', className);
  return element;
}

/** The points of each stretch without a gap; the newest value is at the right edge. */
function segments(values, top, points) {
  const lines = [];
  let line = [];
  values.forEach((value, index) => {
    if (value === null) {
      line = [];
      return;
    }
    if (line.length === 0) lines.push(line);
    const x = WIDTH * (1 - (values.length - 1 - index) / (points - 1));
    const y = HEIGHT - 2 - (HEIGHT - 4) * (value / top);
    line.push([x.toFixed(1), y.toFixed(1)]);
  });
  return lines;
}

function closed(line) {
  const [first, last] = [line[0][0], line.at(-1)[0]];
  return `M${first} ${HEIGHT}L${line.map(([x, y]) => `${x} ${y}`).join('L')}L${last} ${HEIGHT}Z`;
}
