import { markdown, number, type Table } from '../../bench/table.ts';
import { type Incident, incident, type Model } from './incident.ts';
import { derivedParts, type Kind, type PartName, serviceParts } from './parts.ts';
import { percentile, seeded } from './spread.ts';

export type Quantiles = { p50: number; p99: number };
export type Bar = Quantiles & { what: string; text: string; met: boolean };
export type Result = {
  incidents: number;
  seed: number;
  /** Seconds of one incident until its diagnosis. */
  parts: (Quantiles & { part: PartName; what: string; kind: Kind; source: string })[];
  bars: Bar[];
  met: boolean;
};

/** In seconds, from the alarm on. */
export const bars = { diagnosisP50: 60, diagnosisP99: 180, treatmentP50: 120 } as const;

const descriptions = { ...serviceParts, ...derivedParts };
/** In the order of the way. What happens on the node does so while the execution waits for it. */
const order = [
  ...([
    'alarmEvent',
    'eventBus',
    'queue',
    'execution',
    'transition',
    'coldStart',
    'init',
    'run',
    'calls',
  ] as const),
  ...(['waiting', 'delivery', 'document', 'report', 'around'] as const),
];

/** Many incidents by chance, the same for the same seed. */
export function simulate(model: Model, incidents: number, seed: number): Result {
  const random = seeded(seed);
  const all: Incident[] = Array.from({ length: incidents }, () => incident(model, random));
  const parts = order.map((part) => {
    const { what, kind, source } = descriptions[part];
    return { part, what, kind, source, ...quantiles(all.map(({ spent }) => spent[part] ?? 0)) };
  });
  const diagnosis = quantiles(all.map(({ diagnosed }) => diagnosed));
  const treatment = quantiles(all.flatMap(({ treated }) => treated ?? []));
  const judged: Bar[] = [
    {
      what: 'alarm to diagnosis',
      ...diagnosis,
      text: `p50 ≤ ${bars.diagnosisP50} s, p99 ≤ ${bars.diagnosisP99} s`,
      met: diagnosis.p50 <= bars.diagnosisP50 && diagnosis.p99 <= bars.diagnosisP99,
    },
    {
      what: 'alarm to the first automatic treatment on the node, gates aside',
      ...treatment,
      text: `p50 ≤ ${bars.treatmentP50} s`,
      met: treatment.p50 <= bars.treatmentP50,
    },
  ];
  return { incidents, seed, parts, bars: judged, met: judged.every(({ met }) => met) };
}

function quantiles(values: readonly number[]): Quantiles {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99) };
}

/** Both tables, as docs/speed.md has them. */
export function tables({ parts, bars: judged }: Result): string {
  const figures = ({ p50, p99 }: Quantiles, digits = 1): string[] => [
    number(p50, digits),
    number(p99, digits),
  ];
  const totals: Table = {
    title: 'From the alarm on',
    columns: ['p50 s', 'p99 s'],
    rows: judged.map(({ what, text, met, ...rest }) => ({
      what,
      figures: figures(rest),
      bar: { text, met },
    })),
  };
  const rows = parts.map(({ what, kind, source, ...rest }) => ({
    what,
    figures: [...figures(rest, 2), kind, source],
  }));
  return `${markdown(totals)}\n${markdown({ title: 'What one incident spends until its diagnosis', columns: ['p50 s', 'p99 s', 'is', 'by'], rows })}`;
}
