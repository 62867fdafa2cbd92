/** One row: what was measured, a figure for each column, and the bar with whether it was met (`undefined`: none). */
export type Row = { what: string; figures: string[]; bar?: { text: string; met: boolean } };

export type Table = { title: string; columns: readonly string[]; rows: Row[] };

/** A Markdown table, as docs/performance.md has it. */
export function markdown({ title, columns, rows }: Table): string {
  const lines = rows.map(({ what, figures, bar }) => {
    const judged = bar === undefined ? '' : `${bar.met ? 'met' : 'MISSED'}: ${bar.text}`;
    return line([what, ...columns.map((_, index) => figures[index] ?? '–'), judged]);
  });
  return [
    `### ${title}`,
    '',
    line(['', ...columns, 'bar']),
    line(['', ...columns, ''].map(() => '---')),
    ...lines,
    '',
  ].join('\n');
}

/** Whether every bar of it was met. */
export function meetsBars({ rows }: Table): boolean {
  return rows.every(({ bar }) => bar?.met !== false);
}

/** A "|" would begin a column. */
function line(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function percent(part: number, whole: number): string {
  return `${number((part * 100) / whole, 1)} %`;
}
