import * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import type { Cluster } from '../settings.ts';

export const CauseId = z.enum([
  'dying-memcgs',
  'session-churn',
  'leaked-scopes',
  'orphaned-agent',
  'agent-leak',
  'healthy',
  'inconclusive',
]);
export type CauseId = z.infer<typeof CauseId>;

/** A fact that speaks for or against a cause. `source` says where the threshold, or else the fact, comes from. */
export const Finding = z.object({
  fact: z.string(),
  value: z.union([z.number(), z.string(), z.boolean()]),
  threshold: z.union([z.number(), z.string()]).optional(),
  speaks: z.enum(['for', 'against']),
  source: z.string(),
});
export type Finding = z.infer<typeof Finding>;

/**
 * What one rule says of one node. `insufficient-evidence` names the probes without which there is no verdict: it is
 * neither a match nor an exclusion.
 */
export type Verdict =
  | { result: 'matches'; confidence: number; findings: Finding[] }
  | { result: 'excluded'; findings: Finding[] }
  | { result: 'insufficient-evidence'; needs: string[]; findings: Finding[] };

/** A rule: pure, total, and blind to everything but the evidence and the thresholds of the cluster. */
export type Cause = {
  id: CauseId;
  /** Causes that are its effects: where both match, this one is the diagnosis. */
  explains?: readonly CauseId[];
  judge: (evidence: Evidence, thresholds: Cluster['thresholds']) => Verdict;
  /** The paragraph for whoever is woken by it: what is wrong, how we know, what it costs to wait. */
  explain: (findings: Finding[]) => string;
};
