import type { Facts, Trail, Violation } from '../facts.ts';

type Held = { incident: string; from: number; until: number };

/** Two incidents had one node at the same time. */
export function oneIncident({ trails }: Pick<Facts, 'trails'>): Violation[] {
  const byNode = Map.groupBy(trails, ({ instanceId }) => instanceId);
  return [...byNode].flatMap(([instanceId, own]) => {
    const held = own.flatMap(heldBy).sort((a, b) => a.from - b.from);
    return held.slice(1).flatMap(({ incident, from }, index) => {
      const before = held.slice(0, index + 1).find(({ until }) => until > from);
      return before === undefined
        ? []
        : [
            {
              check: 'one-incident',
              what: `${instanceId} was held by ${before.incident} and by ${incident} at once`,
            },
          ];
    });
  });
}

/** From the lease to the last entry before the end: the lease is given back just before that is written. */
function heldBy({ incident, entries }: Trail): Held[] {
  const taken = entries.find(({ step }) => step === 'lease.taken');
  if (taken === undefined) return [];
  const acts = entries.filter(({ step }) => step !== 'incident.closed');
  const last = acts.at(-1) ?? taken;
  return [{ incident, from: Date.parse(taken.at), until: Date.parse(last.at) }];
}
