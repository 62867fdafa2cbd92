/** What was measured on a machine, in seconds of one of its CPUs or of its clock. */
export type Measured = {
  /** CPU until a function could take its first event. */
  init(name: string): number;
  /** A phase of a whole incident, on recorded services: its functions, each in a process that it starts. */
  phase(name: string): number;
  /** `collect-evidence`, full and without its window, and `collect-services`, beside 50,000 dying cgroups. */
  evidence: number;
  services: number;
};

/** Takes the figures out of the tables of docs/performance.md, so that they stand in one place. */
export function measuredIn(page: string): Measured {
  const bundles = tableIn(page, 'Bundles of ');
  const phases = tableIn(page, 'One incident, ');
  const evidence = tableIn(page, 'Evidence on cgroup v1 ');
  const full = 'full: wall seconds, 50,000 dying';
  return {
    init: (name) => bundles(name, 'init ms') / 1000,
    phase: (name) => phases(name, 'seconds'),
    evidence: evidence(full, 'collect-evidence'),
    services: evidence(full, '`collect-services`'),
  };
}

/** The first number in a cell of the table below a title that begins so. */
function tableIn(page: string, title: string): (row: string, column: string) => number {
  const [, section = ''] = page.split(`### ${title}`);
  const [header = [], ...rows] = (section.split(/^#/m)[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return (row, column) => {
    const cell = rows.find(([, what]) => what === row)?.[header.indexOf(column)] ?? '';
    const [figure] = /^[\d,]+(\.\d+)?/.exec(cell) ?? [];
    if (figure === undefined)
      throw new Error(`docs/performance.md has no figure for "${row}", "${column}" in "${title}…"`);
    return Number(figure.replaceAll(',', ''));
  };
}
