import { UsageError } from './command-line.ts';

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A moment that somebody has typed: ISO 8601 with its offset (2026-11-28T18:00Z, 2026-11-28T18:00+01:00), or how long from now
 * (90m, 8h, 3d). A time without an offset could be anybody's, and is refused.
 *
 * @throws UsageError
 */
export function momentOf(text: string, now: Date): Date {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return new Date(now.getTime() + Number(count) * unitMs[unit as keyof typeof unitMs]);
  }
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isIso ? new Date(text) : undefined;
  // A day that no month has would silently become another one.
  if (at !== undefined && Number.isFinite(at.getTime()) && isDay(text)) return at;
  throw new UsageError(
    `--until is "${text.slice(0, 80)}": must be a time with its offset, such as 2026-11-28T18:00Z or 2026-11-28T18:00+01:00, or how long from now, such as 90m, 8h or 3d`,
  );
}

function isDay(text: string): boolean {
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00Z`).toISOString().startsWith(day);
}
