import { expect, it } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';

/** What collect-evidence says, beside what the node says when it is asked in another way. */
export function evidenceSuite(node: BootedNode, expected: { kernel: RegExp; systemd: number }): void {
  it.each(['mawk', 'gawk'] as const)(
    'collect-evidence says what independent measurements say (%s)',
    async (awk) => {
      await node.useAwk(awk);
      const { probes } = json(
        await node.document('collect-evidence', { profile: 'full', windowSeconds: '1' }),
      );
      const [kernel, bootId, cpus, totalKb, live, dying, systemd] = (
        await node.sh(`
        uname -r; cat /proc/sys/kernel/random/boot_id; nproc --all; grep -oP 'MemTotal: *\\K[0-9]+' /proc/meminfo
        find ${node.mount} -mindepth 1 -type d | wc -l
        systemctl --version | grep -oP '^systemd \\K[0-9]+'`)
      )
        .split('\n')
        .toSpliced(5, 0, String(await node.dying()));

      expect(kernel).toMatch(expected.kernel);
      expect(Number(systemd)).toBe(expected.systemd);
      expect(probes.host.value).toMatchObject({ kernel, bootId, cpus: Number(cpus) });
      expect(probes.memory.value.totalKb).toBe(Number(totalKb));
      expect(probes.hierarchy.value).toMatchObject({
        memory: node.variant === 'v1' ? 'v1' : 'v2',
        mount: node.mount,
      });
      expect(Math.abs(probes.cgroups.value.live - Number(live))).toBeLessThan(5);
      expect(Math.abs(probes.cgroups.value.dying - Number(dying))).toBeLessThan(5);
      expect(probes.pressure.status).toBe('ok');
      expect(
        Object.entries(probes).filter(([, probe]) => (probe as { status: string }).status === 'failed'),
      ).toEqual([]);
    },
  );

  it('the documents make no login session', async () => {
    const sessions = () => node.sh('loginctl list-sessions --no-legend');
    const before = await sessions();
    await node.document('collect-evidence', { profile: 'quick' });
    expect(await sessions()).toBe(before);
  });

  it('a login makes a session scope with a memory cgroup of its own', async () => {
    expect(await node.sh(`su - alice -c 'grep -E "^0::|memory" /proc/self/cgroup'`)).toMatch(
      /\/user\.slice\/user-\d+\.slice\/session-c?\d+\.scope$/m,
    );
  });
}
