import { describe, expect, it } from 'vitest';
import { markdown, meetsBars, number, percent, type Table } from '../../bench/table.ts';

const table = (...rows: Table['rows']): Table => ({ title: 'Title', columns: ['ours', 'theirs'], rows });

describe('a table of a bench', () => {
  it('is Markdown, says of each bar whether it was met, and keeps the columns of a row without all figures', () => {
    const text = markdown(
      table(
        { what: 'a', figures: ['1', '2'], bar: { text: 'at most 2', met: true } },
        { what: 'b', figures: ['3'], bar: { text: 'at most 2', met: false } },
        { what: 'c', figures: ['4', '5'] },
      ),
    );

    expect(text.split('\n')).toEqual([
      '### Title',
      '',
      '|  | ours | theirs | bar |',
      '| --- | --- | --- | --- |',
      '| a | 1 | 2 | met: at most 2 |',
      '| b | 3 | – | MISSED: at most 2 |',
      '| c | 4 | 5 |  |',
      '',
    ]);
  });

  it('has a "|" of a name or a figure as text', () => {
    const text = markdown({
      title: 't',
      columns: ['`find | wc`'],
      rows: [{ what: 'a|b', figures: ['1|2'] }],
    });

    expect(text).toContain('|  | `find \\| wc` | bar |');
    expect(text).toContain('| a\\|b | 1\\|2 |  |');
  });

  it('meets its bars when none was missed', () => {
    const met = { what: 'a', figures: [], bar: { text: '', met: true } };
    const missed = { what: 'b', figures: [], bar: { text: '', met: false } };

    expect(meetsBars(table(met, { what: 'c', figures: [] }))).toBe(true);
    expect(meetsBars(table(met, missed))).toBe(false);
  });

  it('writes numbers and shares', () => {
    expect(number(1234.567)).toBe('1,235');
    expect(number(1234.567, 2)).toBe('1,234.57');
    expect(percent(1, 3)).toBe('33.3 %');
  });
});
