// Times and numbers as people read them.

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const ABSOLUTE = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short' });
const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact' });
const UNITS = [['minute', 60], ['hour', 3600], ['day', 86400]];
const WEEK = 7 * 86400;

/** `5 min. ago`, or the date of something older than a week. */
export function relativeTime(timestamp) {
  const seconds = Math.max(0, (Date.now() - Date.parse(timestamp)) / 1000);
  if (seconds < 45) return 'just now';
  if (seconds > WEEK) return DAY.format(new Date(timestamp));
  const [unit, length] = UNITS.findLast(([, length]) => seconds >= length) ?? UNITS[0];
  return RELATIVE.format(-Math.max(1, Math.round(seconds / length)), unit);
}

export const absoluteTime = (timestamp) => ABSOLUTE.format(new Date(timestamp));
export const day = (timestamp) => DAY.format(new Date(timestamp));
export const compact = (number) => COMPACT.format(number);

/** `1 comment`, `2 comments`. */
export const plural = (count, noun, many = `${noun}s`) => `${compact(count)} ${count === 1 ? noun : many}`;

/** Characters as the server counts them: Unicode scalar values of the trimmed text. */
export const characters = (text) => [...text.replaceAll('\r\n', '\n').trim()].length;
