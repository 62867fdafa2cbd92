/** One row: what was measured, ours, theirs, and the bar with whether it was met (`undefined`: there is none). */
export type Row = { what: string; ours: string; theirs: string; bar?: { text: string; met: boolean } };

/** A Markdown table, as docs/performance.md has it. */
export function table(title: string, ours: string, theirs: string, rows: Row[]): string {
  const lines = rows.map(({ what, ours: one, theirs: other, bar }) => {
    const judged = bar === undefined ? '' : `${bar.met ? 'met' : 'NOT MET'}: ${bar.text}`;
    return `| ${what} | ${one} | ${other} | ${judged} |`;
  });
  return [`### ${title}`, '', `| | ${ours} | ${theirs} | bar |`, '|---|---|---|---|', ...lines, ''].join(
    '\n',
  );
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(part: number, whole: number): string {
  return `${number((part * 100) / whole, 1)} %`;
}
