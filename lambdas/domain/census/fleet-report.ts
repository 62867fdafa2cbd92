import type { Burden, Burdens } from './burdens.ts';

/** Lines of one part of a report; a mail with more is not read. */
const mostLines = 12;

export type FleetReport = { title: string; text: string; findings: number };

/**
 * What the nodes of one cluster carry for nothing, for people. It only reports: nothing is done about any of it.
 *
 * @param nodes how many there are; those that have not answered are said first, for the report says nothing of them
 */
export function fleetReport(cluster: string, nodes: number, burdens: Burdens): FleetReport {
  const { entries, omitted } = burdens;
  const of = (kind: Burden['kind']): Burden[] =>
    entries.filter((one) => one.kind === kind).sort((a, b) => b.nodes - a.nodes || order(a, b));
  const agents = of('agent').map((one) => `${one.subject}: ${one.value}${where(one)}`);
  const v1 = of('cgroup-v1').map((one) => `cgroup v1 owns memory${where(one)}`);
  const bad = of('known-bad').map((one) => `${one.value} (${one.subject})${where(one)}`);
  const bare = of('reservation').map(
    (one) => `${one.subject} ${one.value}: pods can take what the kubelet needs${where(one)}`,
  );
  const mixed = differences(of('setting'), burdens.nodes);
  const unread = of('unread').map((one) => `${one.subject}${where(one)}`);
  const findings = agents.length + v1.length + bad.length + bare.length + mixed.length;
  const silent = nodes - burdens.nodes;
  const lines = [
    `${burdens.nodes} of ${nodes} nodes of ${cluster} told what they carry.`,
    ...(silent > 0
      ? [`Of the other ${silent} nothing is known: nothing below says that they are well.`]
      : []),
    ...part('Agents of the host that nothing needs', agents),
    ...part('cgroup v1', v1),
    ...part('Versions that are known for a fault', bad),
    ...part('Memory that is not reserved', bare),
    ...part('Settings and versions that differ between nodes of this cluster', mixed),
    ...part('Could not be read', unread),
    ...(omitted > 0
      ? [`${omitted} more were left out: there are more different ones than a report has room for.`]
      : []),
    ...(findings === 0 && burdens.nodes > 0
      ? [
          unread.length + omitted > 0
            ? 'Nothing was found in what could be read.'
            : 'Nothing that can be told was found.',
        ]
      : []),
    'This is a report: nothing is done about it.',
  ];
  return {
    title: `${cluster}: weekly report, ${findings} findings, ${burdens.nodes} of ${nodes} nodes answered`,
    text: lines.join('\n'),
    findings,
  };
}

/** A setting that not all nodes have, or not with the same value. */
function differences(settings: readonly Burden[], nodes: number): string[] {
  const bySubject = Map.groupBy(settings, ({ subject }) => subject);
  return [...bySubject]
    .filter(([, values]) => values.length > 1 || (values[0]?.nodes ?? 0) < nodes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([subject, values]) => {
      const having = values.reduce((sum, value) => sum + value.nodes, 0);
      const rest = nodes - having > 0 ? [`not told by ${nodes - having}`] : [];
      const shown = values.slice(0, 4).map((one) => `${one.value}${where(one)}`);
      const more = values.length > 4 ? [`${values.length - 4} more values`] : [];
      return `${subject}: ${[...shown, ...more, ...rest].join('; ')}`;
    });
}

function where({ nodes, examples }: Burden): string {
  const others = nodes > examples.length ? ', …' : '';
  return `, on ${nodes} ${nodes === 1 ? 'node' : 'nodes'} (${examples.join(', ')}${others})`;
}

function part(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > mostLines ? [`  and ${lines.length - mostLines} more`] : [];
  return [`${title}:`, ...lines.slice(0, mostLines).map((line) => `  ${line}`), ...more];
}

function order(a: Burden, b: Burden): number {
  return a.subject + a.value < b.subject + b.value ? -1 : 1;
}
