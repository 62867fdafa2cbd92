import type { Judged, Measured } from './measure.ts';

/** What `npm run cases` prints; Markdown, so that the documentation can carry it as it is. */
export function measuredText(measured: Measured): string {
  const { total, right, acceptable, wrong, abstained, forbidden, helps } = measured;
  return [
    `${total} incidents: ${right} right, ${acceptable} acceptable, ${wrong} wrong, ${abstained} abstained; ${forbidden} forbidden treatments planned. ${helps} plans hold what would have helped, or leave it to people where that is right.`,
    table(
      ['bar', 'measured', 'must be', ''],
      measured.bars.map(({ name, value, bar, met }) => [name, value, bar, met ? 'met' : '**missed**']),
    ),
    'How sure it was, and how often it was right or acceptable then:',
    table(
      ['confidence', 'verdicts', 'right'],
      measured.calibration.map((bucket) => [bucket.confidence, bucket.verdicts, bucket.right]),
    ),
    'Expected causes (rows) and what was found:',
    matrixTable(measured),
    table(
      ['incident', 'expected', 'found', 'confidence', 'verdict', 'why'],
      measured.incidents.map((one) => [
        one.id + (one.counts ? '' : ' (does not count)'),
        named(one.expected, one.variant),
        named(one.got, one.gotVariant),
        one.confidence,
        verdictText(one),
        one.why,
      ]),
    ),
    ...unknownText(measured.incidents),
  ].join('\n\n');
}

function matrixTable({ matrix }: Measured): string {
  const found = [...new Set(Object.values(matrix).flatMap((row) => Object.keys(row)))].sort();
  return table(
    ['', ...found],
    Object.keys(matrix)
      .sort()
      .map((expected) => [expected, ...found.map((cause) => matrix[expected]?.[cause] ?? '')]),
  );
}

function verdictText({ verdict, forbidden }: Judged): string {
  return forbidden.length === 0 ? verdict : `${verdict}, **plans ${forbidden.join(', ')}**`;
}

function unknownText(incidents: Judged[]): string[] {
  const unknown = incidents.flatMap(({ id, unknownFacts }) => unknownFacts.map((name) => `${name} (${id})`));
  return unknown.length === 0
    ? []
    : [`Facts that nothing reads and no reason is known for: ${unknown.join(', ')}.`];
}

function named(cause: string, variant: string | null): string {
  return variant === null ? cause : `${cause} (${variant})`;
}

function table(head: string[], rows: (string | number)[][]): string {
  const line = (cells: (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
