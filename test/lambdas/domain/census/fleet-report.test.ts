import { describe, expect, it } from 'vitest';
import { addBurdens, noBurdens } from '../../../../lambdas/domain/census/burdens.ts';
import { fleetReport } from '../../../../lambdas/domain/census/fleet-report.ts';
import type { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { evidenceWith, loopingAgent, missing } from '../sample-evidence.ts';

const idOf = (index: number) => `i-${String(index).padStart(17, '0')}`;
const ok = (value: unknown) => ({ status: 'ok', value });

/** What a kubelet that is set up as it should be says. */
const config = {
  file: '/etc/kubernetes/kubelet/config.json',
  featureGates: { RotateKubeletServerCertificate: 'true' },
  evictionHard: { 'memory.available': '100Mi' },
  evictionSoft: {},
  kubeReserved: { memory: '574Mi' },
  systemReserved: {},
  flags: { 'max-pods': '29' },
};
const kubelet = (change: object = {}, version = 'v1.33.4-eks-1') =>
  ok({ unit: 'kubelet.service', active: 'active', version, config: { ...config, ...change } });
const sound = { kubelet: kubelet() };

function reportOf(nodes: readonly Evidence[], there = nodes.length): string {
  const burdens = nodes.reduce((known, node, index) => addBurdens(known, idOf(index), node), noBurdens);
  const { title, text } = fleetReport('prod', there, burdens);
  return `${title}\n${text}`;
}

describe('the weekly report', () => {
  it('has nothing to say of nodes that are alike and sound', () => {
    const report = reportOf([evidenceWith(sound), evidenceWith(sound)]);

    expect(report).toContain('prod: weekly report, 0 findings, 2 of 2 nodes answered');
    expect(report).toContain('Nothing that can be told was found.');
    expect(report).not.toContain('differ');
  });

  it('names an agent that nothing needs, once for all nodes that have it, whatever its restarts', () => {
    const report = reportOf([
      evidenceWith({ ...sound, agents: loopingAgent() }),
      evidenceWith({ ...sound, agents: loopingAgent({ restarts: 7 }) }),
      evidenceWith({ ...sound, agents: loopingAgent({ containers: 1 }) }),
    ]);

    expect(report).toContain('1 findings');
    expect(report).toContain(
      `  ecs.service: nothing requires or wants ecs.service, and it manages no container, on 2 nodes (${idOf(0)}, ${idOf(1)})`,
    );
  });

  it('does not name an agent that a node may need', () => {
    const running = loopingAgent({ active: 'active', sub: 'running', restarts: 0 });

    expect(reportOf([evidenceWith({ ...sound, agents: running })])).toContain('0 findings');
  });

  it('names cgroup v1, and kernels and runtimes with a known fault', () => {
    const old = evidenceWith({
      kubelet: kubelet({ featureGates: { EventedPLEG: 'true' } }, 'v1.36.1'),
      host: ok({ kernel: '4.18.0-80', os: 'x', bootId: 'b', uptimeSeconds: 1, cpus: 2 }),
      hierarchy: ok({ memory: 'v1', layout: 'legacy', mount: '/sys/fs/cgroup/memory' }),
    });
    const report = reportOf([old]);

    expect(report).toContain('cgroup v1 owns memory, on 1 node');
    expect(report).toContain('kubernetes#139823');
    expect(report).toContain('kubernetes#132266');
    expect(report).toContain('kernel 4.18.0-80 (kubernetes#67577');
  });

  it('names a kernel on which dying cgroups use up their ids', () => {
    const host = ok({ kernel: '3.10.0-1160', os: 'x', bootId: 'b', uptimeSeconds: 1, cpus: 2 });

    expect(reportOf([evidenceWith({ ...sound, host })])).toContain('kernel 3.10.0-1160 (before 4.7');
  });

  it('names a kubelet that keeps no memory back, and says where that was not read', () => {
    const bare = reportOf([evidenceWith({ kubelet: kubelet({ kubeReserved: {} }) })]);
    const unread = reportOf([evidenceWith({ kubelet: missing })]);

    expect(bare).toContain('kubeReserved has no memory: pods can take what the kubelet needs');
    expect(unread).not.toContain('kubeReserved');
    expect(unread).toMatch(/Could not be read:\n {2}configuration of the kubelet, on 1 node/);
    expect(unread).toContain('Nothing was found in what could be read.');
    expect(unread).not.toContain('Nothing that can be told was found.');
  });

  it('says what differs between nodes of one cluster: other values, and settings that some do not have', () => {
    const report = reportOf([
      evidenceWith(sound),
      evidenceWith(sound),
      evidenceWith({ kubelet: kubelet({ featureGates: { EventedPLEG: 'false' } }) }),
    ]);

    expect(report).toContain('Settings and versions that differ');
    expect(report).toMatch(
      /featureGates\.RotateKubeletServerCertificate: true, on 2 nodes \(.*\); not told by 1/,
    );
    expect(report).toMatch(/featureGates\.EventedPLEG: false, on 1 node \(.*\); not told by 2/);
    expect(report).not.toContain('evictionHard.memory.available:');
  });

  it('does not report that nodes of other sizes keep back other amounts', () => {
    const small = kubelet({ kubeReserved: { memory: '255Mi' } });

    expect(reportOf([evidenceWith(sound), evidenceWith({ kubelet: small })])).toContain('0 findings');
  });

  it('never says that nodes are well that did not answer', () => {
    expect(reportOf([evidenceWith(sound)], 3)).toContain('Of the other 2 nothing is known');
    expect(reportOf([], 3)).not.toContain('was found');
  });

  it('stays short, however different the nodes are', () => {
    const flags = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`flag-${index}`, 'x']));
    const nodes = Array.from({ length: 20 }, (_, index) =>
      evidenceWith({ kubelet: kubelet({ flags: { ...flags, [`own-${index}`]: String(index) } }) }),
    );
    const many = Array.from({ length: 300 }, (_, index) =>
      evidenceWith({ kubelet: kubelet({ flags: { [`own-${index}`]: 'y' } }) }),
    );
    const report = reportOf([...nodes, ...many]);

    expect(report.split('\n').length).toBeLessThan(60);
    expect(report).toMatch(/and \d+ more/);
    expect(report).toMatch(/\d+ more were left out/);
  });

  it('prints names of nodes as plain text', () => {
    const agents = loopingAgent({ unit: 'e\u001b[31mvil\u0085ü.service' });

    expect(reportOf([evidenceWith({ ...sound, agents })])).toContain('e?[31mvil??.service');
  });
});
