import { AuditEntry } from '../../lambdas/domain/audit/entry.ts';
import type { BudgetState } from '../../lambdas/domain/gates/budget.ts';
import { inOrder } from '../audit-file.ts';
import type { FleetNode } from './fleet.ts';

/** The audit trail of one incident: its entries, and its lines as they were delivered. */
export type Trail = { incident: string; instanceId: string; entries: AuditEntry[]; lines: string[] };

/** A message that people got. */
export type ToldMessage = {
  at: Date;
  kind: string;
  incident: string;
  instanceId?: string;
  title: string;
  text: string;
};

/** What is still held when everything is over. */
export type Left = {
  /** Instances whose lease somebody holds, and who. */
  leases: { instanceId: string; holder: string }[];
  budget: Pick<BudgetState, 'holders' | 'waiting'>;
  /** Nodes that nobody may be put on, by the API server. */
  cordoned: string[];
};

/** Everything that a check of a storm looks at. */
export type Facts = {
  cluster: string;
  nodes: readonly FleetNode[];
  trails: readonly Trail[];
  /** Incidents that were started, and have ended. */
  ended: ReadonlySet<string>;
  messages: readonly ToldMessage[];
  left: Left;
  publicKey: string;
};

/** Something that must not have happened. */
export type Violation = { check: string; what: string };

/** The trails in a log group, by its streams; a stream that is no incident is left out. */
export function trailsOf(lines: readonly { stream: string; message: string }[]): Trail[] {
  const byStream = Map.groupBy(lines, ({ stream }) => stream);
  return [...byStream].flatMap(([incident, own]) => {
    const ordered = own.map(({ message }) => message);
    const entries = ordered.flatMap((text) => {
      const parsed = AuditEntry.safeParse(JSON.parse(text));
      return parsed.success ? [parsed.data] : [];
    });
    const [first] = entries;
    if (first === undefined) return [];
    return [
      {
        incident,
        instanceId: first.instanceId,
        entries: entries.toSorted((a, b) => a.seq - b.seq),
        lines: inOrder(ordered),
      },
    ];
  });
}

/** The cause by which people are told of an incident. */
export function toldFor({ entries }: Trail): string {
  return entries.findLast(({ step }) => step === 'diagnosed')?.outcome ?? 'undiagnosed';
}

/** A treatment on a node, from the intent until it was judged, undone or given up. Times in ms. */
export type Treated = {
  incident: string;
  instanceId: string;
  rung: number;
  treatment: string;
  disrupts: boolean;
  from: number;
  until: number;
};

/** Every treatment of a trail. */
export function treatedIn({ incident, instanceId, entries }: Trail): Treated[] {
  return entries.flatMap((entry, index) => {
    const { step, rung, treatment } = entry;
    if (step !== 'treatment.intended' || rung === undefined || treatment === undefined) return [];
    const following = entries.slice(index + 1);
    const end = following.findIndex((next) => endsRung(next.step));
    // The place in a budget is given back just before the entry that ends a rung is written.
    const last = following[end < 0 ? following.length - 1 : end - 1] ?? entry;
    return [
      {
        incident,
        instanceId,
        rung,
        treatment,
        disrupts: disruptsBy(entries.slice(0, index), rung),
        from: Date.parse(entry.at),
        until: Date.parse(last.at),
      },
    ];
  });
}

function endsRung(step: string): boolean {
  return step === 'rung.next' || step === 'incident.closed' || step === 'janitor.finished';
}

/** By the last plan before it; what no plan says is taken for a disruption. */
function disruptsBy(before: readonly AuditEntry[], rung: number): boolean {
  const plan = before.findLast(({ step }) => step === 'planned')?.details?.plan;
  const planned: unknown = Array.isArray(plan) ? plan[rung] : undefined;
  return (planned as { disrupts?: unknown } | undefined)?.disrupts !== false;
}
