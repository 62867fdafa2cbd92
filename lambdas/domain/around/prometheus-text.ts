export type MetricSample = { name: string; labels: Readonly<Record<string, string>>; value: number };

/** A series with many label sets must not fill the memory of whoever reads it. */
const mostSamples = 20_000;
const longestLine = 4096;

const line = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?[ \t]+([^ \t]+)(?:[ \t]+-?\d+)?[ \t]*$/;
/** A name is looked for behind a comma only: at every letter, a line of letters would take a time that grows with its square. */
const label = /(?:^|,)[ \t]*([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/**
 * The samples of the wanted metrics in the Prometheus text format. Lines of other metrics are not looked into; a line
 * that cannot be read is passed over, as a scraper that wants one figure and not the page would. Bounded in lines and samples.
 */
export function samplesIn(text: string, wanted: (name: string) => boolean): MetricSample[] {
  const samples: MetricSample[] = [];
  for (let from = 0; from < text.length && samples.length < mostSamples; ) {
    const newline = text.indexOf('\n', from);
    const to = newline < 0 ? text.length : newline;
    const sample = to - from <= longestLine ? sampleIn(text.slice(from, to), wanted) : undefined;
    if (sample !== undefined) samples.push(sample);
    from = to + 1;
  }
  return samples;
}

function sampleIn(text: string, wanted: (name: string) => boolean): MetricSample | undefined {
  if (text.startsWith('#')) return undefined;
  const end = text.search(/[{ \t]/);
  if (end < 0 || !wanted(text.slice(0, end))) return undefined;
  const [, name, labels = '', figure = ''] = line.exec(text.replace(/\r$/, '')) ?? [];
  const value = numberOf(figure);
  if (name === undefined || value === undefined) return undefined;
  return { name, labels: labelsOf(labels), value };
}

function numberOf(text: string): number | undefined {
  if (/^\+?Inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-Inf$/i.test(text)) return Number.NEGATIVE_INFINITY;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}

function labelsOf(text: string): Record<string, string> {
  const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };
  return Object.fromEntries(
    [...text.matchAll(label)].map(([, name = '', value = '']) => [
      name,
      value.replace(/\\./g, (escaped) => escapes[escaped] ?? escaped),
    ]),
  );
}

/**
 * A quantile of a histogram, over all label sets together, as `histogram_quantile` has it: linear within its bucket, and
 * the highest finite bound where it is above that. `undefined` for a histogram that has counted nothing.
 */
export function histogramQuantile(
  q: number,
  samples: readonly MetricSample[],
  name: string,
): number | undefined {
  const counts = new Map<number, number>();
  for (const sample of samples) {
    const bound = sample.name === `${name}_bucket` ? numberOf(sample.labels.le ?? '') : undefined;
    if (bound !== undefined) counts.set(bound, (counts.get(bound) ?? 0) + sample.value);
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.at(-1);
  // Without the bucket of all, how many there are is not known.
  if (total === undefined || total[0] !== Number.POSITIVE_INFINITY || !(total[1] > 0)) return undefined;
  const rank = q * total[1];
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [upper, count] = buckets[index] ?? total;
  const [lower, below] = buckets[index - 1] ?? [0, 0];
  if (upper === Number.POSITIVE_INFINITY) return index > 0 ? lower : undefined;
  return count === below ? upper : lower + ((upper - lower) * (rank - below)) / (count - below);
}
