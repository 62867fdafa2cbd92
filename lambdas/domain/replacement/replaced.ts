import type { Finding } from '../causes/cause.ts';
import type { IncidentState, TreatmentResult } from '../incident-state.ts';
import { ownerText } from './act-sentence.ts';
import type { CourseEnd, ReplacementState } from './course-state.ts';
import { drainReportText } from './drain-report.ts';

type Treated = NonNullable<IncidentState['treatment']>;

/** How a rung that replaces has ended. refused: the node is as it was, but for pods that were evicted before; failed: a person has to look. */
const statuses = {
  replaced: 'done',
  relieved: 'done',
  refused: 'refused',
  'not-drained': 'refused',
  gone: 'refused',
  failed: 'failed',
} as const satisfies Record<CourseEnd['is'], Treated['status']>;

/** What a replacement has come to, as any other treatment is told. */
export function treatedBy(replacement: ReplacementState | undefined): Treated {
  const end = replacement?.end;
  if (replacement === undefined || end == null) {
    return { status: 'failed', reason: 'the replacement did not come to its end' };
  }
  // Where it was handed over nobody has tried, and the end itself says what is to be done.
  const left = end.cordonLeft && !keepsCordon(replacement) ? '; its cordon could not be taken back' : '';
  return {
    // A cordon of ours that may stand has to be looked at, whatever else became of it.
    status: end.cordonLeft ? 'failed' : statuses[end.is],
    reason: `${end.report === undefined ? end.says : drainReportText(end.report)}${left}`,
    result: resultOf(replacement, end),
  };
}

/** Whether nothing of this replacement stands in the cluster. */
export function endedClean({ end }: ReplacementState): boolean {
  return end !== null && !end.cordonLeft;
}

/** Whether it ended with a cordon that is to stay: that of a node whose owner was told that it goes, and that is there still. */
export function keepsCordon({ end, handedOverAt }: ReplacementState): boolean {
  return end?.cordonLeft === true && handedOverAt !== null;
}

/** Verified by what was seen in the cluster: there is no node to look at any more. `undefined` where it was not replaced. */
export function verifiedBy(
  { end, node }: ReplacementState,
  startedAt: Date,
): NonNullable<IncidentState['verification']> | undefined {
  if (end?.is !== 'replaced') return undefined;
  const source = 'API server of the cluster';
  const findings: Finding[] = [
    { fact: 'the old node', value: `${node} has gone`, speaks: 'for', source },
    ...(end.newNode === undefined
      ? []
      : ([
          { fact: 'the new node', value: `${end.newNode} is Ready and runs pods`, speaks: 'for', source },
        ] as const)),
  ];
  return {
    verdict: 'cured',
    waitSeconds: 0,
    planned: 1,
    startedAt: startedAt.toISOString(),
    samples: [],
    alsoFound: [],
    provisional: false,
    findings,
  };
}

function resultOf(replacement: ReplacementState, end: CourseEnd): TreatmentResult {
  const { node, owner, drain, cordon, handedOverAt, relief } = replacement;
  return {
    changed: cordon !== 'no' || handedOverAt !== null || (relief !== undefined && (drain?.evicted ?? 0) > 0),
    before: { node },
    after: { node: end.is === 'replaced' ? (end.newNode ?? null) : node },
    details: {
      ended: end.is,
      owner: owner === null ? null : ownerText(owner),
      evicted: drain?.evicted ?? 0,
      ...(end.report === undefined ? {} : { report: end.report }),
    },
  };
}
