import { explanationLines } from '../explanation.ts';
import type { IncidentState } from '../incident-state.ts';
import { triedLines } from '../tried.ts';
import type { Approval } from './approval.ts';

type Known = Pick<IncidentState, 'diagnosis' | 'plan' | 'ladder' | 'results' | 'leftOut'>;

/**
 * What a person needs to decide on one rung, as plain text: first what it is, then what was tried on this node and what
 * came of it, then why.
 */
export function approvalCard(
  approval: Approval,
  { diagnosis, plan, ladder, results, leftOut }: Known,
): { title: string; text: string } {
  const { rung } = approval;
  const args = Object.entries(rung.arguments).map(([name, value]) => `  ${name} = ${value}`);
  const tried = triedLines(results).map((line) => `  ${line}`);
  return {
    title: `Approve ${rung.treatment} on ${approval.instanceId} (${approval.cluster})?`,
    text: [
      `To approve: ${rung.treatment}, risk ${rung.risk}: ${rung.reason}`,
      ...args,
      `Expected: ${rung.expects.text}`,
      rung.undoDocument === undefined ? 'It cannot be undone.' : `Undo: document ${rung.undoDocument}`,
      `Approval ${approval.id} expires at ${approval.expiresAt}.`,
      ...(tried.length === 0
        ? ['Nothing was tried on this node before.']
        : ['What was tried before this:', ...tried, 'What follows is of the node as it was before that.']),
      ...(diagnosis === undefined
        ? ['There is no diagnosis.']
        : explanationLines(diagnosis, plan.slice(ladder.index), leftOut)),
    ].join('\n'),
  };
}
