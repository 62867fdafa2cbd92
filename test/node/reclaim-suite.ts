import { expect, it } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';

const parameters = {
  incident: 'test-node',
  fencing: '1',
  // The emulated CPU is slow, and what is measured is what reclaim frees, not how it is paced.
  cpuPercent: '50',
  maxSeconds: '300',
  psiFullLimit: '0',
};

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** Real leaks on cgroup v2, cured with the living kept. */
export function reclaimSuite(node: BootedNode): void {
  it.each(['mawk', 'gawk'] as const)(
    'cures 2,000 zombies beside a living service of the same slice, which keeps its page cache (%s)',
    async (awk) => {
      await node.useAwk(awk);
      const slice = `/leak${awk}.slice`;
      const live = await node.hotService(`live-${awk}`, `leak${awk}.slice`, 128);
      const other = await node.hotService(`other-${awk}`, `other${awk}.slice`, 64);
      await node.leak(slice, 2000);
      const before = {
        dying: await node.dying(slice),
        live: await node.cacheOf(live),
        other: await node.cacheOf(other),
        protections: await node.protections(),
      };
      const evidence = json(await node.document('collect-evidence', { profile: 'quick' }));
      const dry = json(await node.document('reclaim', { ...parameters, slices: slice, dryRun: 'true' }));
      const result = json(await node.document('reclaim', { ...parameters, slices: slice }));
      const after = {
        dying: await node.dying(slice),
        live: await node.cacheOf(live),
        other: await node.cacheOf(other),
      };
      process.stdout.write(
        `${node.variant}, ${awk}: dying ${before.dying} → ${after.dying}; live cache in the slice ${mib(before.live)} → ${mib(after.live)} MiB, in another ${mib(before.other)} → ${mib(after.other)} MiB; ${result.slices[0].writes} writes, ${result.slices[0].askedKb} KiB asked\n`,
      );

      expect(before.dying).toBeGreaterThan(1900);
      expect(
        evidence.probes.slices.value.entries.find(({ path }: { path: string }) => path === slice).dying,
      ).toBe(before.dying);
      expect(dry).toMatchObject({ changed: false });
      expect(result).toMatchObject({ changed: true, undo: null });
      expect(result.slices[0]).toMatchObject({ path: slice, before: { dying: before.dying } });
      // On 6.1 some 250 stay whatever is done, drop_caches included.
      expect(after.dying).toBeLessThan(400);
      expect(after.live).toBeGreaterThan(before.live * 0.95);
      expect(after.other).toBeGreaterThan(before.other * 0.99);
      expect(await node.protections()).toBe(before.protections);
      expect(await node.sh('systemctl list-timers --all --no-legend "cgroup-medic-restore-*"')).toBe('');
    },
  );

  it('cures zombies inside a living child and beside it, which keeps its page cache', async () => {
    const live = await node.hotService('nested', 'nest-pod.slice', 128);
    await node.leak('/nest.slice/nest-pod.slice', 1000);
    await node.leak('/nest.slice', 1000);
    const before = {
      dying: await node.dying('/nest.slice'),
      live: await node.cacheOf(live),
      protections: await node.protections(),
    };
    json(await node.document('reclaim', { ...parameters, slices: '/nest.slice' }));
    const after = { dying: await node.dying('/nest.slice'), live: await node.cacheOf(live) };
    process.stdout.write(
      `${node.variant}, nested: dying ${before.dying} → ${after.dying}; live cache ${mib(before.live)} → ${mib(after.live)} MiB\n`,
    );

    expect(before.dying).toBeGreaterThan(1900);
    expect(after.dying).toBeLessThan(500);
    expect(after.live).toBeGreaterThan(before.live * 0.95);
    expect(await node.protections()).toBe(before.protections);
  });

  it('a SIGKILL half-way: the systemd timer restores the protections', async () => {
    await node.hotService('killed', 'kill.slice', 16);
    await node.leak('/kill.slice', 1000);
    const before = await node.protections();
    const killed = node.document('reclaim', {
      ...parameters,
      slices: '/kill.slice',
      cpuPercent: '1',
      maxSeconds: '10',
    });
    await node.sh(`
      for ((i = 0; i < 600; i++)); do
        if (($(cat ${node.mount}/kill.slice/killed.service/memory.low) > 0)); then pkill -KILL -f _script_0.sh; exit 0; fi
        sleep 0.05
      done
      echo "memory.low was never raised" >&2; exit 1`);
    expect(await killed).toMatchObject({ status: 'TimedOut' });
    const raised = await node.protections();
    const timer = await node.sh('systemctl list-timers --all --no-legend "cgroup-medic-restore-*"');
    const waited = await node.number(`
      for ((i = 0; i < 120; i++)); do
        if (($(cat ${node.mount}/kill.slice/killed.service/memory.low) == 0)); then break; fi
        sleep 1
      done
      echo $i`);
    process.stdout.write(`${node.variant}, killed: restored by the timer after ${waited} s\n`);

    expect(raised).not.toBe(before);
    expect(timer).not.toBe('');
    expect(await node.protections()).toBe(before);
  });
}
