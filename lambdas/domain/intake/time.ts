/**
 * A time as the sources write it: RFC 3339 to whatever fraction (Alertmanager), with an offset without colon (CloudWatch), or as Go
 * prints a time (Amazon Managed Prometheus fills its template that way): `2026-11-21 06:30:00.123456789 +0000 UTC`.
 */
const written =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d{1,9})? ?(Z|[+-]\d{2}:?\d{2})(?: [A-Z]{1,5})?(?: m=[+-][0-9.]+)?$/;

/** The ISO time in UTC, to the millisecond; `undefined` for what is none, as Go's time before there is one (year 1). */
export function isoTime(text: string): string | undefined {
  const [, date, time, fraction = '', zone = ''] = written.exec(text) ?? [];
  if (date === undefined) return undefined;
  const offset = zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  const at = new Date(`${date}T${time}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(at.getTime()) || at.getUTCFullYear() < 2000 ? undefined : at.toISOString();
}
