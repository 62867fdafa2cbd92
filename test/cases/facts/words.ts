/** Numbers, sizes, times and courses as people write them. What is not said stays `undefined`; a bound is taken as it is. */

export type Value = number | string | boolean;

/** The least that such words promise: "dozens" are at least two, "thousands" at least one. */
const numberWords: [RegExp, number][] = [
  [/hundreds of thousands/, 100_000],
  [/tens of thousands/, 10_000],
  [/\bmillions?\b/, 1_000_000],
  [/\bthousands?\b/, 1000],
  [/\bhundreds?\b/, 100],
  [/\b(dozens|scores)\b/, 24],
  [/\btens\b/, 20],
];
const smallWords = 'zero one two three four five six seven eight nine ten'.split(' ');

/** The first number of a text, or the least that its words promise. */
export function numberIn(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return undefined;
  const text = value.toLowerCase();
  const digits = /\d[\d,']*(\.\d+)?/.exec(text)?.[0];
  if (digits !== undefined) {
    const scale = /^\s?k\b/.test(text.slice(text.indexOf(digits) + digits.length)) ? 1000 : 1;
    return Number(digits.replace(/[,']/g, '')) * scale;
  }
  const word = numberWords.find(([pattern]) => pattern.test(text));
  if (word !== undefined) return word[1];
  const small = smallWords.findIndex((name) => new RegExp(`\\b${name}\\b`).test(text));
  return small === -1 ? undefined : small;
}

export function countIn(value: Value): number | undefined {
  const number = numberIn(value);
  return number === undefined || number < 0 ? undefined : Math.round(number);
}

const kbPer: Record<string, number> = {
  t: 1024 ** 3,
  g: 1024 ** 2,
  m: 1024,
  k: 1,
  b: 1 / 1024,
};

/** A size in KiB: its unit stands in the value ("15.2 GiB", "500M", "tens of GB"), or else is that of the name. */
export function kbIn(value: Value, unit: string | undefined): number | undefined {
  const number = numberIn(value);
  if (number === undefined) return undefined;
  const written = typeof value === 'string' ? /(?:\d\s*|\bof\s+)([tgmk])i?b?\b/i.exec(value)?.[1] : undefined;
  const scale = kbPer[(written ?? unit ?? '').charAt(0).toLowerCase()];
  // Read as a plain number, "500k" would have had its k twice.
  const bare = written?.toLowerCase() === 'k' && number >= 1000 ? number / 1000 : number;
  return scale === undefined ? undefined : Math.round(bare * scale);
}

const secondsPer: Record<string, number> = {
  ns: 1e-9,
  us: 1e-6,
  ms: 1e-3,
  second: 1,
  sec: 1,
  s: 1,
  minute: 60,
  min: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
};

/** A time in seconds, by the unit of the name or of the value. */
export function secondsIn(value: Value, unit: string | undefined): number | undefined {
  const number = numberIn(value);
  if (number === undefined) return undefined;
  const written =
    typeof value === 'string'
      ? /\d\s*(ns|us|ms|seconds?|minutes?|mins?|hours?|days?|weeks?|months?)\b/i.exec(value)?.[1]
      : undefined;
  const scale = secondsPer[(written ?? unit ?? '').toLowerCase().replace(/s$/, '')] ?? secondsPer[unit ?? ''];
  return scale === undefined ? undefined : number * scale;
}

/** Yes or no, or `undefined` where the value says neither. */
export function truthOf(value: Value): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value > 0;
  if (/^(no|none|never|not|false|nothing|unchanged)\b/i.test(value)) return false;
  return value === '' ? undefined : true;
}

const steady =
  /\b(constant|stable|flat|steady state|plateaus?|no (growth|increase|change)|unchanged|does not grow|not growing)\b/i;
const falling = /\b(falls?|falling|decreas\w*|comes? down|declin\w*|drops?|shrinks?)\b/i;
const rising =
  /\b(monoton\w*|linear\w*|steadily|grow\w*|increas\w*|climb\w*|ris(es?|ing)|leak\w*|unbounded|doubles?|piles? up|accumulat\w*|upward\w*|never (falls|freed|released))\b/i;

/** Where a figure goes, by a word of the value. */
export function courseIn(value: Value): 'rises' | 'steady' | 'falls' | undefined {
  if (typeof value !== 'string') return undefined;
  if (steady.test(value)) return 'steady';
  if (rising.test(value)) return 'rises';
  return falling.test(value) ? 'falls' : undefined;
}
