import type { Diagnosis } from '../../lambdas/domain/diagnosis.ts';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { type Cluster, Settings } from '../../lambdas/domain/settings.ts';
import { evidenceOf } from './evidence-of.ts';
import type { Incident } from './incident.ts';

export type Verdict = 'right' | 'acceptable' | 'wrong' | 'abstained';

/** One incident, judged by the shipped settings. */
export type Judged = {
  id: string;
  expected: string;
  variant: string | null;
  got: string;
  gotVariant: string | null;
  confidence: number;
  verdict: Verdict;
  why: string;
  plan: string[];
  /** Treatments of the plan that this case forbids. */
  forbidden: string[];
  /** Whether the plan holds what would have helped: one of the right treatments, or nothing but a call for people where that is right. */
  helps: boolean;
  /** Whether it counts for the accuracy: its label is sure enough, and asks for a cause. */
  counts: boolean;
  /** Facts that became nothing, and that no reason was written down for. */
  unknownFacts: string[];
};

type Bar = { name: string; value: number; bar: string; met: boolean };
type Bucket = { confidence: string; verdicts: number; right: number };

export type Measured = {
  total: number;
  right: number;
  acceptable: number;
  wrong: number;
  abstained: number;
  /** Forbidden treatments planned, over all incidents. */
  forbidden: number;
  /** Expected cause → what was found → how often. */
  matrix: Record<string, Record<string, number>>;
  counted: number;
  accuracy: number;
  helps: number;
  calibration: Bucket[];
  bars: Bar[];
  ok: boolean;
  incidents: Judged[];
};

/** Shares; the bars that issue and documentation name. */
const leastAccuracy = 0.9;
const mostAbstained = 0.2;
const sure = 0.9;
const leastSure = 0.95;
const steps = [0.5, 0.7, 0.8, sure, 1];

/** A treatment that goes on by itself does the same as the one it repeats. */
const repeats: Record<string, string> = {
  'standing-reclaim': 'reclaim',
  'standing-restart': 'restart-kubelet',
};

export function defaultCluster(): Cluster {
  const { any } = Settings.parse({ clusters: { any: {} } }).clusters;
  if (any === undefined) throw new Error('the default settings have no cluster');
  return any;
}

export function judge(incident: Incident, cluster: Cluster): Judged {
  const { evidence, told } = evidenceOf(incident);
  const diagnosis = diagnose(evidence, cluster.thresholds);
  const plan = planFor(diagnosis, evidence, cluster).plan.map(({ treatment }) => treatment);
  const { expected, actions, confidence } = incident;
  return {
    id: incident.id,
    expected: expected.cause,
    variant: expected.variant ?? null,
    got: diagnosis.cause,
    gotVariant: diagnosis.variant ?? null,
    confidence: diagnosis.confidence,
    verdict: verdictOf(diagnosis, expected),
    why: whyOf(diagnosis, expected),
    plan,
    forbidden: plan.filter((treatment) => actions.forbidden.includes(repeats[treatment] ?? treatment)),
    helps: helps(plan, actions.right),
    counts: confidence !== 'low' && expected.cause !== 'inconclusive',
    unknownFacts: told.filter(({ as }) => as === 'unknown').map(({ name }) => name),
  };
}

export function measure(incidents: Incident[], cluster = defaultCluster()): Measured {
  const judged = incidents.map((incident) => judge(incident, cluster));
  const number = (verdict: Verdict, among = judged): number =>
    among.filter((one) => one.verdict === verdict).length;
  const counted = judged.filter(({ counts }) => counts);
  const good = ({ verdict }: Judged): boolean => verdict === 'right' || verdict === 'acceptable';
  const diagnosed = judged.filter(({ got }) => got !== 'inconclusive');
  const verySure = diagnosed.filter(({ confidence }) => confidence >= sure);
  const accuracy = share(counted.filter(good).length, counted.length);
  const abstained = share(number('abstained', counted), counted.length);
  const forbidden = judged.flatMap((one) => one.forbidden).length;
  const bars: Bar[] = [
    {
      name: `right or acceptable, of the ${counted.length} that count`,
      value: accuracy,
      bar: `at least ${leastAccuracy}`,
      met: accuracy >= leastAccuracy,
    },
    {
      name: 'abstained, of those',
      value: abstained,
      bar: `at most ${mostAbstained}`,
      met: abstained <= mostAbstained,
    },
    { name: 'forbidden treatments planned', value: forbidden, bar: 'none', met: forbidden === 0 },
    {
      name: `right, of the ${verySure.length} with a confidence of ${sure} or more`,
      value: share(verySure.filter(good).length, verySure.length),
      bar: `at least ${leastSure}`,
      met: verySure.length === 0 || share(verySure.filter(good).length, verySure.length) >= leastSure,
    },
  ];
  return {
    total: judged.length,
    right: number('right'),
    acceptable: number('acceptable'),
    wrong: number('wrong'),
    abstained: number('abstained'),
    forbidden,
    matrix: matrixOf(judged),
    counted: counted.length,
    accuracy,
    helps: judged.filter((one) => one.helps).length,
    calibration: calibrationOf(diagnosed, good),
    bars,
    ok: bars.every(({ met }) => met) && judged.length > 0,
    incidents: judged,
  };
}

function verdictOf({ cause }: Diagnosis, { cause: expected, alsoAcceptable }: Incident['expected']): Verdict {
  if (cause === expected) return 'right';
  if (alsoAcceptable.includes(cause)) return 'acceptable';
  return cause === 'inconclusive' ? 'abstained' : 'wrong';
}

/** What speaks for the answer most, or why there is none. */
function whyOf(diagnosis: Diagnosis, { whyNot }: Incident['expected']): string {
  if (diagnosis.cause === 'inconclusive') {
    const [first = ''] = diagnosis.explanation.split(' This is not');
    return first;
  }
  const findings = diagnosis.findings
    .filter(({ speaks, weight }) => speaks === 'for' && weight !== undefined)
    .sort((a, b) => (b.weight ?? 0) - (a.weight ?? 0))
    .map(({ fact, value }) => `${fact}: ${value}`);
  const not = whyNot[diagnosis.cause];
  return `${findings.slice(0, 3).join('; ')}${not === undefined ? '' : ` (but: ${not})`}`;
}

function helps(plan: string[], right: string[]): boolean {
  const calls = plan.every((treatment) => treatment === 'notify');
  if (right.includes('none') && plan.length === 0) return true;
  if (right.includes('notify-only') && calls && plan.length > 0) return true;
  return plan.some((treatment) => right.includes(treatment));
}

function matrixOf(judged: Judged[]): Measured['matrix'] {
  const matrix: Measured['matrix'] = {};
  for (const { expected, got } of judged) {
    matrix[expected] = { ...matrix[expected], [got]: (matrix[expected]?.[got] ?? 0) + 1 };
  }
  return matrix;
}

function calibrationOf(diagnosed: Judged[], good: (one: Judged) => boolean): Bucket[] {
  return steps.slice(1).map((to, index) => {
    const from = steps[index] ?? 0;
    const inside = diagnosed.filter(({ confidence }) => confidence >= from && (confidence < to || to === 1));
    return { confidence: `${from} to ${to}`, verdicts: inside.length, right: inside.filter(good).length };
  });
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part * 1000) / whole) / 1000;
}
