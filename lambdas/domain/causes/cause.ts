import * as z from 'zod';
import type { Evidence } from '../evidence/evidence.ts';
import type { Thresholds } from '../thresholds.ts';
import type { CauseId } from './cause-id.ts';

export type { CauseId };

/**
 * A fact that speaks for or against a cause. `source` says where the threshold, or else the fact, comes from. `weight`
 * is the share of the remaining doubt that a fact which speaks for the cause takes away.
 */
export const Finding = z.object({
  fact: z.string(),
  value: z.union([z.number(), z.string(), z.boolean()]),
  threshold: z.union([z.number(), z.string()]).optional(),
  speaks: z.enum(['for', 'against']),
  source: z.string(),
  weight: z.number().min(0).max(0.95).optional(),
  /** For or against which cause, where the findings of several stand together. */
  of: z.string().optional(),
});
export type Finding = z.infer<typeof Finding>;

/**
 * What one rule says of one node. `insufficient-evidence` names the probes without which there is no verdict: it is
 * neither a match nor an exclusion. How sure a match is follows from the weights of its findings, and from nothing else.
 */
export type Verdict =
  | { result: 'matches'; variant?: string; findings: Finding[] }
  | { result: 'excluded'; findings: Finding[] }
  | { result: 'insufficient-evidence'; needs: string[]; findings: Finding[] };

/** How to keep it from coming back: the exact setting, where it lives on EKS, and the finding that makes it apply here. */
export const Prevention = z.object({ what: z.string(), where: z.string(), because: z.string() });
export type Prevention = z.infer<typeof Prevention>;

/** A rule: pure, total, and blind to everything but the evidence and the thresholds of the cluster. */
export type Cause<Id extends string = CauseId> = {
  /** The name of its file. What ids there are follows from the list of causes. */
  id: Id;
  /** One line for lists and for the documentation. */
  title: string;
  /** What must be seen for a match, and what excludes it, each a sentence for people; docs/diagnosis.md carries them. */
  seen: string;
  excludedBy: string;
  /** Its variants, each with a line of its own; the verdict names one where the evidence can tell. */
  variants?: Readonly<Record<string, string>>;
  /** Causes that are its effects: where both match, this one is the diagnosis. */
  explains?: readonly CauseId[];
  judge: (evidence: Evidence, thresholds: Thresholds) => Verdict;
  /** What is wrong and how we know, for whoever is woken by it. */
  explain: (findings: Finding[], variant?: string) => string;
  /** What it costs to do nothing, in a sentence. */
  untreated: string;
  prevent: (evidence: Evidence, findings: Finding[]) => Prevention[];
};
