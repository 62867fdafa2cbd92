import { describe, expect, it } from 'vitest';
import { loopingAgents, orphanedAgentOf } from '../../lambdas/domain/evidence/producers.ts';
import { containUnit } from '../../lambdas/domain/treatments/contain-unit.ts';
import { disableAgent } from '../../lambdas/domain/treatments/disable-agent.ts';
import { clusterWith, evidenceWith } from '../lambdas/domain/sample-evidence.ts';
import { command, shown } from './busy-node.ts';
import { json, smallTree } from './node-folder.ts';
import { open } from './reclaim-node.ts';
import { untouchable } from './untouchable.ts';

type Unit = { name: string } & Record<string, string>;

/** What evidence says of the services of a node on which these crash-loop, as nothing would that is needed. */
async function agentsOf(units: readonly Unit[]) {
  const shows = units.map(({ name, ...properties }) => [
    `recorded/unit/${name}`,
    shown({
      Id: name,
      Names: name,
      ActiveState: 'activating',
      SubState: 'auto-restart',
      UnitFileState: 'enabled',
      NRestarts: 20_000,
      ...properties,
    }),
  ]);
  const node = open({
    ...smallTree,
    ...Object.fromEntries(shows),
    'recorded/units': units.map(({ name }) => `${name} loaded activating auto-restart It\n`).join(''),
    'usr/bin/systemctl': command(`case "$*" in
list-units*) cat "$R/units" ;;
*) for name in "$@"; do if test -f "$R/unit/$name"; then cat "$R/unit/$name" && echo; fi; done ;;
esac`),
  });
  const { agents } = json(await node.run('collect-services', {})).probes;
  const evidence = evidenceWith({ agents });
  return {
    listed: loopingAgents(evidence),
    offered: orphanedAgentOf(evidence),
    proposed: [disableAgent, containUnit].map(({ propose }) =>
      propose(evidence, clusterWith(), { cause: 'orphaned-agent', findings: [] }),
    ),
  };
}

const parts = Array.from({ length: Math.ceil(untouchable.length / 20) }, (_, n) =>
  untouchable.slice(n * 20, n * 20 + 20),
);

describe.concurrent('what no treatment touches', () => {
  it.each(
    parts.flatMap((names) => [
      { names, how: 'by name', unit: (name: string) => ({ name: `${name}.service` }) },
      {
        names,
        how: 'by another name of it',
        unit: (name: string, n: number) => ({
          name: `harmless-${n}.service`,
          Names: `harmless-${n}.service ${name}.service`,
        }),
      },
      {
        names,
        how: 'by the file it comes from',
        unit: (name: string, n: number) => ({
          name: `harmless-${n}.service`,
          FragmentPath: `/lib/systemd/system/${name}.service`,
        }),
      },
    ]),
  )('is not offered as an agent, $how, $names.0 and others', async ({ names, unit }) => {
    const { listed, offered, proposed } = await agentsOf(names.map(unit));

    expect(listed.filter((agent) => !agent.protected)).toEqual([]);
    expect(offered).toBeUndefined();
    const nothing = { nothing: expect.stringMatching(/no treatment touches it|no service is known/) };
    expect(proposed).toEqual([nothing, nothing]);
  });

  it('is not offered as an agent, by what it runs', async () => {
    const { listed, offered } = await agentsOf([
      { name: 'a.service', ExecStart: '{ path=/usr/bin/kubelet ; argv[]=/usr/bin/kubelet --x ; }' },
      { name: 'b.service', ExecStart: '{ path=/bin/sh ; argv[]=/bin/sh -c exec dockerd ; }' },
    ]);

    expect(listed.map(({ unit, protected: marked }) => [unit, marked])).toEqual([
      ['a.service', true],
      ['b.service', true],
    ]);
    expect(offered).toBeUndefined();
  });

  it('does not take its neighbours with it', async () => {
    const { listed, offered, proposed } = await agentsOf([
      { name: 'falcon-sensor.service' },
      { name: 'ecs.service', ExecStart: '{ path=/usr/bin/ecs ; argv[]=/usr/bin/ecs ; }' },
    ]);

    // One that is marked is still evidence: it can leak as well as any other.
    expect(listed.map(({ unit, protected: marked }) => [unit, marked])).toEqual([
      ['ecs.service', undefined],
      ['falcon-sensor.service', true],
    ]);
    expect(offered?.unit).toBe('ecs.service');
    expect(proposed[0]).toMatchObject({ arguments: { unit: 'ecs.service' } });
  });
});
