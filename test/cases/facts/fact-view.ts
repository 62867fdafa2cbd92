import type { Fact } from '../incident.ts';

/**
 * A fact with its name taken apart: "second_reporter_kubelet_rss_start_mb" is about "kubelet_rss", in MB, at the start,
 * and from somebody else than the one who wrote the report.
 */
export type FactView = Fact & {
  subject: string;
  unit?: string;
  /** "errors_per_10_minutes": 600. */
  perSeconds?: number;
  stage?: 'start' | 'end';
  bound?: 'least' | 'most' | 'mean';
  /** Of another reporter, or another node: it fills in what the first one does not say. */
  secondary: boolean;
};

const prefixes =
  /^(second|third|fourth|another|other|one|first)_(reporter|host|node|cluster|user|server|machine|sample|commenter)_/;
const reporterSuffix =
  /_(by_)?(one|second|third|another|other)_(reporter|host|node|cluster|user|sample|commenter)$/;

const units: [RegExp, string][] = [
  [/_(ti?b|terabytes)$/, 'tb'],
  [/_(gi?b|g|gigabytes)$/, 'gb'],
  [/_(mi?b|m|megabytes)$/, 'mb'],
  [/_(ki?b|kilobytes)$/, 'kb'],
  [/_bytes$/, 'b'],
  [/_(percent|pct|percentage)$/, 'percent'],
  [/_(ratio|share|fraction)$/, 'ratio'],
  [/_(ns|nanoseconds)$/, 'ns'],
  [/_(us|microseconds)$/, 'us'],
  [/_(ms|milliseconds)$/, 'ms'],
  [/_(s|secs?|seconds)$/, 'second'],
  [/_minutes?$/, 'minute'],
  [/_hours?$/, 'hour'],
  [/_days?$/, 'day'],
  [/_weeks?$/, 'week'],
  [/_months?$/, 'month'],
  [/_(millicores|millicpus?|mcpu)$/, 'millicore'],
  [/_(cores)$/, 'core'],
];
const bounds: [RegExp, NonNullable<FactView['bound']>][] = [
  [/_(min|minimum|at_least|lower|or_more|more_than)$/, 'least'],
  [/_(max|maximum|peak|at_most|upper|worst)$/, 'most'],
  [/_(avg|average|mean|median|approx|about|roughly|typical)$/, 'mean'],
];
const stages: [RegExp, NonNullable<FactView['stage']>][] = [
  [/_(start|begin|beginning|initial|initially|before|first|baseline|fresh)$/, 'start'],
  [/_(end|after|final|finally|last|later|now|current)$/, 'end'],
];
const rate = /_per_(\d+)?_?(second|minute|min|hour|day|week|month)s?$/;
const rateSeconds: Record<string, number> = {
  second: 1,
  minute: 60,
  min: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
};
/** "1.5 GB per day", "300 MB/h" is not read: an h is no word. */
const rateInValue = /(?:\bper|\ban?|\beach|\bevery|\/)\s*(second|minute|hour|day|week|month)\b/i;
/** Says nothing of its own. "total" and "count" stay out of the subject, so that "sessions_total" is "sessions". */
const noise = /_(num|count|counted|number|total|text|value|reported|observed|seen|approximately)$/;

export function viewOf(fact: Fact): FactView {
  const view: FactView = { ...fact, subject: fact.name.toLowerCase(), secondary: false };
  const prefix = prefixes.exec(view.subject);
  if (prefix !== null) {
    view.subject = view.subject.replace(prefixes, '');
    view.secondary = prefix[1] !== 'one' && prefix[1] !== 'first';
  }
  const suffix = reporterSuffix.exec(view.subject);
  if (suffix !== null) {
    view.subject = view.subject.replace(reporterSuffix, '');
    view.secondary = suffix[2] !== 'one';
  }
  const written = typeof fact.value === 'string' ? rateInValue.exec(fact.value)?.[1] : undefined;
  if (written !== undefined) view.perSeconds = rateSeconds[written.toLowerCase()] ?? 1;
  while (strip(view)) {
    // Until nothing is left that qualifies what it is about.
  }
  return view;
}

function strip(view: FactView): boolean {
  const shorten = (pattern: RegExp): boolean => {
    const shorter = view.subject.replace(pattern, '');
    if (shorter === view.subject || shorter === '') return false;
    view.subject = shorter;
    return true;
  };
  const written = rate.exec(view.subject);
  if (written !== null && view.perSeconds === undefined && shorten(rate)) {
    view.perSeconds = Number(written[1] ?? 1) * (rateSeconds[written[2] ?? ''] ?? 1);
    return true;
  }
  const unit = units.find(([pattern]) => view.unit === undefined && pattern.test(view.subject));
  if (unit !== undefined && shorten(unit[0])) {
    view.unit = unit[1];
    return true;
  }
  const bound = bounds.find(([pattern]) => view.bound === undefined && pattern.test(view.subject));
  if (bound !== undefined && shorten(bound[0])) {
    view.bound = bound[1];
    return true;
  }
  const stage = stages.find(([pattern]) => view.stage === undefined && pattern.test(view.subject));
  if (stage !== undefined && shorten(stage[0])) {
    view.stage = stage[1];
    return true;
  }
  return shorten(noise);
}
