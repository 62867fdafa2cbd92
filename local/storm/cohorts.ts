import type { AuditEntry } from '../../lambdas/domain/audit/entry.ts';
import { type Trail, treatedIn } from './facts.ts';

/** Nodes that were decided on and treated together, as their trails tell. */
export type CohortSeen = {
  cohort: string;
  treatment: string;
  nodes: number;
  /** Cards that asked about it: one, or more where the one that asked was lost. */
  cards: number;
  waves: { number: number; size: number; treated: number }[];
  /** Nodes that were not treated because the cohort was stopped or denied, or had expired. */
  notTreated: number;
};

type Member = { entry: AuditEntry; trail: Trail };

/** Each cohort in the order in which it began; a node by itself is none, also where others ask for the same after it. */
export function cohortsOf(trails: readonly Trail[]): CohortSeen[] {
  const members = trails.flatMap((trail) =>
    trail.entries.flatMap((entry) =>
      entry.step === 'gated' && typeof entry.details?.cohort === 'string' ? [{ entry, trail }] : [],
    ),
  );
  return grouped(members.filter((member) => !isAskedAboutAlone(member)));
}

/** Whether people were then asked about its node alone. */
function isAskedAboutAlone({ entry, trail: { entries } }: Member): boolean {
  const card = entries
    .slice(entries.indexOf(entry))
    .find(({ step, rung }) => step === 'approval.requested' && rung === entry.rung);
  return card !== undefined && card.details?.cohort === undefined;
}

function grouped(members: readonly Member[]): CohortSeen[] {
  return (
    [...Map.groupBy(members, nameOf)]
      .map(([, own]) => seen(String(own[0]?.entry.details?.cohort), own))
      // Some only waited for one whose key is another by now, with what they are in the one that they came to.
      .filter(({ nodes, cards, waves, notTreated }) => nodes > 1 && cards + waves.length + notTreated > 0)
  );
}

/** What it is asked about, and by which card: one cohort may follow another of the same cause and act. */
function nameOf({ entry, trail: { entries } }: Member): string {
  const decided = entries
    .slice(entries.indexOf(entry))
    .find(({ rung, details }) => rung === entry.rung && typeof details?.approvalId === 'string');
  return `${entry.details?.cohort} ${decided?.details?.approvalId ?? ''}`;
}

function seen(cohort: string, own: readonly Member[]): CohortSeen {
  const of = (outcome: string): Member[] => own.filter(({ entry }) => entry.outcome === outcome);
  const waves = Map.groupBy(
    [...of('ask'), ...of('pass')].filter(isTreated).map(({ entry }) => waveOf(entry)),
    ({ number }) => number,
  );
  return {
    cohort,
    treatment: own[0]?.entry.treatment ?? '',
    nodes: new Set(own.map(({ trail }) => trail.instanceId)).size,
    cards: of('ask').filter((member) => !looksAgain(member)).length,
    waves: [...waves]
      .toSorted(([a], [b]) => a - b)
      .map(([number, wave]) => ({
        number,
        size: Math.max(...wave.map(({ size }) => size)),
        treated: wave.length,
      })),
    notTreated: of('refuse').filter(({ entry }) => entry.actor.id === 'gate:cohort').length,
  };
}

/** Who asked goes first, and has no wave in its answer: there was none yet. */
function waveOf({ details }: AuditEntry): { number: number; size: number } {
  const wave = details?.wave as { number?: unknown; size?: unknown } | undefined;
  return { number: Number(wave?.number ?? 1), size: Number(wave?.size ?? 1) };
}

/** Whether the node is looked at again before anything else, and the gates are asked anew. */
function looksAgain({ entry }: Pick<Member, 'entry'>): boolean {
  return (entry.details?.waiting as { lookAgain?: unknown } | undefined)?.lookAgain === true;
}

/** One that looks at its node again first has not been treated yet. */
function isTreated({ entry, trail }: Member): boolean {
  if (looksAgain({ entry })) return false;
  const from = Date.parse(entry.at);
  return treatedIn(trail).some((treated) => treated.rung === entry.rung && treated.from >= from);
}
