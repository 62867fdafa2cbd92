import { Sample } from '../../../../lambdas/domain/verification.ts';

export const expects = {
  text: 'few are left',
  signal: 'dying' as const,
  atMost: 300,
  level: 'falls' as const,
};
export const start = Date.parse('2026-11-21T06:30:00Z');

/** A look so many minutes after a treatment has ended, at a node that is well but for its dying cgroups. */
export function sample(minute: number, dying: number | null, more: Partial<Sample> = {}): Sample {
  const at = new Date(start + minute * 60_000).toISOString();
  return Sample.parse({ at, dying, availablePercent: 60, stalledPercent: 0, bootId: 'boot-1', ...more });
}

export const before = sample(-1, 20_000);
/** A look every two minutes. */
export function series(...counts: (number | null)[]): Sample[] {
  return counts.map((dying, index) => sample(index * 2, dying));
}
