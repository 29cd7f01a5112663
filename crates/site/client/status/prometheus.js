// The text format of Prometheus, as far as this server writes it.

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** All samples of a metrics page, as lists of `{labels, value}` by name. */
export function parse(text) {
  const samples = new Map();
  for (const line of text.split('\n')) {
    const found = SAMPLE.exec(line);
    if (!found) continue;
    const [, name, list = '', value] = found;
    const labels = Object.fromEntries(Array.from(list.matchAll(LABEL), ([, label, text]) => [label, unescaped(text)]));
    if (!samples.has(name)) samples.set(name, []);
    samples.get(name).push({ labels, value: Number(value) });
  }
  return samples;
}

function unescaped(text) {
  return text.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
}

/** The sum of the samples of a name whose labels pass. */
export function sum(samples, name, passes = () => true) {
  return (samples.get(name) ?? []).reduce((total, { labels, value }) => total + (passes(labels) ? value : 0), 0);
}

/**
 * The value that a share of a histogram's observations between two pages does not exceed, in its unit; null without
 * observations. As exact as the buckets.
 */
export function quantile(share, before, now, name, passes = () => true) {
  const added = new Map();
  for (const [samples, sign] of [[now, 1], [before, -1]]) {
    for (const { labels, value } of samples.get(`${name}_bucket`) ?? []) {
      if (passes(labels)) added.set(labels.le, (added.get(labels.le) ?? 0) + sign * value);
    }
  }
  const buckets = [...added].map(([le, count]) => [le === '+Inf' ? Infinity : Number(le), count]).sort(([a], [b]) => a - b);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  let lower = 0;
  let below = 0;
  for (const [upper, count] of buckets) {
    if (count >= share * total) {
      if (upper === Infinity) return lower;
      return lower + (upper - lower) * ((share * total - below) / (count - below));
    }
    [lower, below] = [upper, count];
  }
  return lower;
}
