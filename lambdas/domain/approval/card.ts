import * as z from 'zod';
import { explanationLines } from '../explanation.ts';
import type { IncidentState } from '../incident-state.ts';
import { printable } from '../printable.ts';
import { endCommand } from '../standing/end-command.ts';
import { StandingTreatment } from '../standing/standing.ts';
import { triedLines } from '../tried.ts';
import type { Approval } from './approval.ts';
import { DecideAt } from './decide-at.ts';

/** Longest list and line of a card, so that a message with one stays far below the 256 KB of its topic. */
const mostLines = 150;
const longestLine = 1000;
/** Characters of one list: a message has each twice, and one character may take three bytes. */
const mostCharacters = 16_000;

const lines = z.array(z.string().max(longestLine)).max(mostLines);

/**
 * What a person needs to decide on one rung, whatever shows it to them: first what is asked, then what was tried on this
 * node and what came of it, then why. It holds no task token and nothing that would let its reader decide.
 */
export const Card = z.object({
  version: z.literal(1),
  approvalId: z.string(),
  incident: z.string(),
  cluster: z.string(),
  instanceId: z.string(),
  title: z.string(),
  treatment: z.string(),
  risk: z.string(),
  reason: z.string(),
  arguments: z.record(z.string(), z.string()),
  expects: z.string(),
  /** The document that takes it back, or the command that ends it; `null`: it cannot be undone. */
  undo: z.string().nullable(),
  requestedBy: z.string().nullable(),
  quorum: z.int().min(1),
  approvers: z.array(z.string()),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  /** What was done in this incident before, and what came of it. */
  tried: lines,
  /** Which gate asks, and why. */
  asks: z.string().max(longestLine).optional(),
  /** How many nodes are being disrupted beside this one, where the treatment disrupts it. */
  budget: z.string().max(longestLine).optional(),
  /** What the decision covers, where it is one for several nodes. The rest of the card is about the first of them. */
  cohort: lines.optional(),
  /** What happened to this node and this machine image before this incident. */
  history: lines.optional(),
  /** The diagnosis in plain words, with findings, gaps and what would follow. */
  why: lines,
  /** Where somebody can decide who has rights in the account. Left out: there is no such place. */
  decideAt: DecideAt.optional(),
});
export type Card = z.infer<typeof Card>;

type Known = Pick<IncidentState, 'diagnosis' | 'plan' | 'ladder' | 'results' | 'leftOut' | 'gate' | 'voided'>;

export function cardOf(
  approval: Approval,
  { diagnosis, plan, ladder, results, leftOut, gate, voided }: Known,
  {
    decideAt,
    history = [],
    budget,
    cohort,
  }: {
    decideAt?: DecideAt | undefined;
    history?: readonly string[];
    budget?: string | undefined;
    cohort?: { nodes: number; lines: readonly string[] } | undefined;
  } = {},
): Card {
  const { rung } = approval;
  const nodes = cohort === undefined ? approval.instanceId : `${cohort.nodes} nodes`;
  return {
    version: 1,
    approvalId: approval.id,
    incident: approval.incident,
    cluster: approval.cluster,
    instanceId: approval.instanceId,
    title: `Approve ${rung.treatment} on ${nodes} (${approval.cluster})?`,
    treatment: rung.treatment,
    risk: rung.risk,
    reason: rung.reason,
    arguments: rung.arguments,
    expects: rung.expects.text,
    undo: rung.kind === 'standing' ? endOf(approval) : (rung.undoDocument ?? null),
    requestedBy: approval.requestedBy,
    quorum: approval.quorum,
    approvers: approval.approvers,
    createdAt: approval.createdAt,
    expiresAt: approval.expiresAt,
    ...(gate?.decision === 'ask' ? { asks: printable(gate.reason).slice(0, longestLine) } : {}),
    tried: bounded(triedLines(results)),
    ...(budget === undefined ? {} : { budget: printable(budget).slice(0, longestLine) }),
    ...(cohort === undefined ? {} : { cohort: bounded(cohort.lines) }),
    ...(history.length === 0 ? {} : { history: bounded(history) }),
    why: bounded([
      ...(voided === undefined
        ? []
        : [`It is asked for again, because an approval before this one is void: ${voided}.`]),
      ...(diagnosis === undefined
        ? ['There is no diagnosis.']
        : explanationLines(diagnosis, plan.slice(ladder.index), leftOut)),
    ]),
    ...(decideAt === undefined ? {} : { decideAt }),
  };
}

/** What stands before the undo of a card: a document has to be called one, and a command speaks for itself. */
export function undoWord({ treatment }: Pick<Card, 'treatment'>): '' | 'document ' {
  return StandingTreatment.safeParse(treatment).success ? '' : 'document ';
}

/** What people agree to for a group is ended by people, and by its date. */
function endOf({ cluster, rung }: Approval): string {
  return endCommand(cluster, rung.arguments.nodeGroup ?? '', rung.treatment);
}

/** The card as plain text, for mail and terminals. */
export function cardText(card: Card): { title: string; text: string } {
  const indented = (all: readonly string[]) => all.map((line) => `  ${line}`);
  return {
    title: card.title,
    text: [
      `To approve: ${card.treatment}, risk ${card.risk}: ${card.reason}`,
      ...Object.entries(card.arguments).map(([name, value]) => `  ${name} = ${value}`),
      ...cohortText(card),
      ...(card.asks === undefined ? [] : [`Asked because: ${card.asks}`]),
      `Expected: ${card.expects}`,
      ...(card.budget === undefined ? [] : [`Budget: ${card.budget}.`]),
      card.undo === null ? 'It cannot be undone.' : `Undo: ${undoWord(card)}${card.undo}`,
      `Approval ${card.approvalId} expires at ${card.expiresAt}.`,
      ...(card.decideAt === undefined
        ? []
        : [`Decide at the AWS console: ${card.decideAt.url}`, `or by the AWS CLI: ${card.decideAt.cli}`]),
      ...(card.quorum > 1 ? [`${card.quorum} different people have to approve.`] : []),
      ...(card.tried.length === 0
        ? ['Nothing was tried on this node before.']
        : [
            'What was tried before this:',
            ...indented(card.tried),
            'What follows is of the node as it was before that.',
          ]),
      ...(card.history ?? []),
      ...card.why,
    ].join('\n'),
  };
}

/** What a decision on several nodes covers; nothing for one node. */
export function cohortText({ cohort, instanceId }: Card): string[] {
  return cohort === undefined ? [] : [...cohort, `What follows is of the first of them, ${instanceId}.`];
}

/** What a list has beyond its bound is said, not dropped unseen. */
function bounded(all: readonly string[]): string[] {
  const kept: string[] = [];
  let characters = 0;
  for (const line of all) {
    const cut = printable(line).slice(0, longestLine);
    characters += cut.length;
    if (kept.length === mostLines - 1 || characters > mostCharacters) break;
    kept.push(cut);
  }
  const more = all.length - kept.length;
  return more === 0 ? kept : [...kept, `and ${more} lines more`];
}
