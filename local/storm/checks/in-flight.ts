import type { Budget } from '../../../lambdas/domain/settings/gates.ts';
import { type Facts, type Treated, treatedIn, type Violation } from '../facts.ts';

export type Peak = { where: string; peak: number; most: number };

/** How many nodes were disrupted at the same moment, at the most: of the cluster, and of each group and zone. */
export function peaksOf({ nodes, trails }: Pick<Facts, 'nodes' | 'trails'>, budget: Budget): Peak[] {
  const disrupted = trails.flatMap(treatedIn).filter(({ disrupts }) => disrupts);
  const byId = new Map(nodes.map((node) => [node.instanceId, node]));
  const within = (where: string, most: number, belongs: (instanceId: string) => boolean): Peak => ({
    where,
    most,
    peak: atOnce(disrupted.filter(({ instanceId }) => belongs(instanceId))),
  });
  const share = (count: number, percent: number): number => Math.max(1, Math.floor((count * percent) / 100));
  const groups = [...Map.groupBy(nodes, ({ nodeGroup }) => nodeGroup)].sort(byName);
  const zones = [...Map.groupBy(nodes, ({ zone }) => zone)].sort(byName);
  return [
    within('the cluster', share(nodes.length, budget.clusterPercent), () => true),
    ...groups.map(([group, own]) =>
      within(
        `group ${group}`,
        share(own.length, budget.nodeGroupPercent),
        (id) => byId.get(id)?.nodeGroup === group,
      ),
    ),
    ...zones.map(([zone]) => within(`zone ${zone}`, budget.perZone, (id) => byId.get(id)?.zone === zone)),
  ];
}

/** More were disrupted than the budget allows. */
export function inFlight(facts: Pick<Facts, 'nodes' | 'trails'>, budget: Budget): Violation[] {
  return peaksOf(facts, budget)
    .filter(({ peak, most }) => peak > most)
    .map(({ where, peak, most }) => ({
      check: 'in-flight',
      what: `${peak} nodes of ${where} were disrupted at once, and ${most} may be`,
    }));
}

/** The most of these that overlap; one that ends in the moment in which another begins does not. */
export function atOnce(treated: readonly Pick<Treated, 'from' | 'until'>[]): number {
  const steps = treated
    .flatMap(({ from, until }) => [
      { at: from, by: 1 },
      { at: Math.max(until, from + 1), by: -1 },
    ])
    .sort((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
