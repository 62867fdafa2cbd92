import type { Diagnosis } from '../diagnosis.ts';
import { leftOutLines } from '../left-out.ts';
import type { LeftOut } from '../treatments/treatment.ts';
import type { Approval } from './approval.ts';

/** What a person needs to decide on one rung, as plain text. */
export function approvalCard(
  approval: Approval,
  diagnosis: Diagnosis | undefined,
  leftOut: readonly LeftOut[] = [],
): { title: string; text: string } {
  const { rung } = approval;
  const args = Object.entries(rung.arguments).map(([name, value]) => `  ${name} = ${value}`);
  return {
    title: `Approve ${rung.treatment} on ${approval.instanceId} (${approval.cluster})?`,
    text: [
      `Diagnosis: ${diagnosis?.cause ?? 'none'} (confidence ${diagnosis?.confidence ?? 0})`,
      diagnosis?.explanation ?? '',
      ...(diagnosis?.findings ?? []).map(({ fact, value, threshold, speaks }) => {
        const limit = threshold === undefined ? '' : ` (threshold ${threshold})`;
        return `  ${speaks}: ${fact} ${value}${limit}`;
      }),
      ...(diagnosis?.gaps ?? []).map(({ probe, reason }) => `  not known: ${probe}: ${reason}`),
      `Treatment: ${rung.treatment}, risk ${rung.risk}: ${rung.reason}`,
      ...args,
      `Expected: ${rung.expects.text}`,
      rung.undoDocument === undefined ? 'It cannot be undone.' : `Undo: document ${rung.undoDocument}`,
      ...leftOutLines(leftOut),
      `Approval ${approval.id} expires at ${approval.expiresAt}.`,
    ]
      .filter((line) => line !== '')
      .join('\n'),
  };
}
