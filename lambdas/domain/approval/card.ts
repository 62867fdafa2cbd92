import type { Diagnosis } from '../diagnosis.ts';
import { explanationLines } from '../explanation.ts';
import type { LeftOut, Rung } from '../treatments/treatment.ts';
import type { Approval } from './approval.ts';

/** What a person needs to decide on one rung, as plain text. */
export function approvalCard(
  approval: Approval,
  diagnosis: Diagnosis | undefined,
  plan: readonly Rung[],
  leftOut: readonly LeftOut[] = [],
): { title: string; text: string } {
  const { rung } = approval;
  const args = Object.entries(rung.arguments).map(([name, value]) => `  ${name} = ${value}`);
  return {
    title: `Approve ${rung.treatment} on ${approval.instanceId} (${approval.cluster})?`,
    text: [
      ...(diagnosis === undefined ? ['There is no diagnosis.'] : explanationLines(diagnosis, plan, leftOut)),
      `To approve: ${rung.treatment}, risk ${rung.risk}: ${rung.reason}`,
      ...args,
      `Expected: ${rung.expects.text}`,
      rung.undoDocument === undefined ? 'It cannot be undone.' : `Undo: document ${rung.undoDocument}`,
      `Approval ${approval.id} expires at ${approval.expiresAt}.`,
    ]
      .filter((line) => line !== '')
      .join('\n'),
  };
}
