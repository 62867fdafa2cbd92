import { diagnose } from '../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../lambdas/domain/evidence/evidence.ts';
import { readEvidence } from '../lambdas/domain/evidence/read-evidence.ts';
import { planFor } from '../lambdas/domain/plan.ts';
import { type Cluster, Settings } from '../lambdas/domain/settings.ts';
import { describeMachine } from './describe-machine.ts';
import { largestEvidence } from './diagnose/largest-evidence.ts';
import { median } from './measure.ts';
import { markdown, number, type Table } from './table.ts';

const fullRounds = 60;
const fewRounds = 2;

/**
 * What a diagnosis costs: of the largest evidence that the schema lets through, beside the parse alone. Each round does all
 * of it in turn, so that whatever else the machine does falls on all alike; and it is CPU time that counts, of the garbage collector as well.
 *
 * @returns 0: it has no bars
 */
export async function diagnoseBench(args: string[]): Promise<number> {
  const [few, ...more] = args;
  if (more.length > 0 || (few !== undefined && few !== '--few')) {
    process.stderr.write(`usage: npm run bench -- diagnose [--few], not ${args.join(' ')}\n`);
    return 2;
  }
  process.stdout.write(`${describeMachine()}\n\n`);
  process.stdout.write(`${markdown(measure(few === undefined ? fullRounds : fewRounds))}\n`);
  return 0;
}

type Step = { what: string; run: () => unknown };

export function measure(rounds: number): Table {
  const text = JSON.stringify(largestEvidence());
  const cluster = shippedCluster();
  const read = (): Evidence => {
    const answer = readEvidence(text);
    if (!answer.ok) throw new Error(answer.error);
    return answer.evidence;
  };
  const evidence = read();
  const found = diagnose(evidence, cluster.thresholds);
  const steps: Step[] = [
    { what: 'parse alone: text to checked evidence', run: read },
    { what: 'diagnosis of what was parsed', run: () => diagnose(evidence, cluster.thresholds) },
    { what: 'plan for that diagnosis', run: () => planFor(found, evidence, cluster) },
    { what: 'all of it: text to diagnosis', run: () => diagnose(read(), cluster.thresholds) },
  ];
  const times = steps.map((): number[] => []);
  // The first round only warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { run }] of steps.entries()) {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      const ms = (user + system) / 1000;
      if (round > 0) times[index]?.push(ms);
    }
  }
  const medians = times.map(median);
  const parse = medians[0] ?? Number.NaN;
  return {
    title: `Diagnosis of the largest evidence: ${number(text.length / 1000)} KB, ${rounds} rounds`,
    columns: ['CPU ms, median', 'a second, on one CPU', 'times the parse'],
    rows: steps.map(({ what }, index) => {
      const ms = medians[index] ?? Number.NaN;
      return { what, figures: [number(ms, 2), number(1000 / ms), number(ms / parse, 2)] };
    }),
  };
}

function shippedCluster(): Cluster {
  const { any } = Settings.parse({ clusters: { any: {} } }).clusters;
  if (any === undefined) throw new Error('the default settings have no cluster');
  return any;
}
