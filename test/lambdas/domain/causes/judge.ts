import type { Cause, Finding } from '../../../../lambdas/domain/causes/cause.ts';
import { clusterWith, evidenceWith } from '../sample-evidence.ts';
import { judged as judgedBy } from './judged.ts';

type Probes = Parameters<typeof evidenceWith>[0];

export const { thresholds } = clusterWith();
export const ok = <T>(value: T) => ({ status: 'ok', value });

/** What a cause says of a node that is well but for these probes. */
export function judged(cause: Cause, probes: Probes = {}) {
  const evidence = evidenceWith(probes);
  const verdict = judgedBy(cause, evidence);
  return {
    ...verdict,
    evidence,
    finding: (fact: string): Finding | undefined => verdict.findings.find((one) => one.fact === fact),
  };
}

/** A course of a metric over a day, a point an hour. */
export function trendOf(name: string, valueAt: (hour: number) => number, more: Record<string, unknown> = {}) {
  const points = Array.from({ length: 24 }, (_, hour) => [1_790_000_000 + hour * 3600, valueAt(hour)]);
  return ok({ series: { [name]: { source: 'cloudwatch', points } }, ...more });
}

export function memory(availableKb: number, more: Record<string, number> = {}) {
  return ok({
    totalKb: 8_000_000,
    availableKb,
    cachedKb: 0,
    slabReclaimableKb: 0,
    slabUnreclaimableKb: 0,
    percpuKb: 0,
    shmemKb: 0,
    dirtyKb: 0,
    ...more,
  });
}

export function pressure(full: number) {
  const stall = (avg60: number) => ({ avg10: 0, avg60, avg300: 0, totalUs: 0 });
  const both = { some: stall(full), full: stall(full) };
  return ok({ memory: both, io: both, cpu: { some: stall(0), full: null } });
}

export function load(shares: Record<string, number>) {
  return ok({ averages: [1, 1, 1], shares });
}

export function reclaim(counters: Record<string, number | null>) {
  return ok({ windowMs: 2000, allocstall: 0, pgmajfault: 0, ...counters });
}

export function throttling(...top: Record<string, unknown>[]) {
  const full = top.map((cgroup) => ({
    path: '/kubepods.slice/pod1',
    pod: 'shop/web-1',
    periods: 20,
    ...cgroup,
  }));
  return ok({ windowMs: 2000, cgroups: 30, withQuota: 4, throttled: full.length, top: full });
}

export function kubelet(change: Record<string, unknown> = {}) {
  return ok({ unit: 'kubelet.service', active: 'active', sub: 'running', result: 'success', ...change });
}

export function tried(what: string, helped: boolean) {
  return ok({ tried: [{ what, helped }] });
}

export function nodeStatus(change: Record<string, unknown>) {
  const conditions = [
    { type: 'Ready', status: 'True' },
    { type: 'MemoryPressure', status: 'False' },
  ];
  return ok({ conditions, ...change });
}
