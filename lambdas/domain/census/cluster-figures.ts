import type { Tally } from './tally.ts';

export type ClusterFigures = {
  /** By metric, for the dimension ClusterName. */
  counts: Record<string, number>;
  /** Of all nodes that counted them: a maximum, a sum, an average in one metric. */
  dying?: Tally['dying'];
};

/**
 * What a run publishes of a cluster. Where no node has answered there is nothing to say of thresholds: a zero would read
 * as health. `Nodes` and `NodesAnswered` say it then.
 */
export function clusterFigures(
  { dying, overThreshold, unclear }: Tally,
  { nodes, answered, raised, heldBack }: Record<'nodes' | 'answered' | 'raised' | 'heldBack', number>,
  standing?: { live: number; raised: number; over: number },
): ClusterFigures {
  return {
    counts: {
      CensusRuns: 1,
      Nodes: nodes,
      NodesAnswered: answered,
      ...(answered === 0
        ? {}
        : {
            NodesOverThreshold: overThreshold,
            NodesUnclear: unclear,
            NodesRaised: raised,
            NodesHeldBack: heldBack,
          }),
      // Three metrics less for whoever has none.
      ...(standing === undefined
        ? {}
        : {
            StandingTreatments: standing.live,
            StandingRaised: standing.raised,
            StandingOverThreshold: standing.over,
          }),
    },
    ...(dying.nodes === 0 ? {} : { dying }),
  };
}
