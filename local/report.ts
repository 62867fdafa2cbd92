export function reportHtml(record: unknown, lines: readonly string[], _p?: string): string {
  return JSON.stringify([record, lines]);
}
