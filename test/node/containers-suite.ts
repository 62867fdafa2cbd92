import { beforeAll, describe, expect, it } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';
import { podsOf } from './pods.ts';

const says = (node: BootedNode, text: string) => process.stdout.write(`${node.variant}: ${text}\n`);

/** Real containers and sandboxes of containerd and runc. crictl is a stand-in that speaks the CRI to it. */
export function containersSuite(node: BootedNode): void {
  const pods = podsOf(node);
  const [webUid, batchUid, goneUid] = [pods.uid('1'), pods.uid('2'), pods.uid('3')];
  const leftover = `${node.mount}${pods.slice(goneUid)}`;
  const ids: Record<string, string> = {};
  let web: string;
  let batch: string;

  describe('containers (the runtime is real, crictl a stand-in)', () => {
    beforeAll(async () => {
      await pods.start();
      web = await pods.run('web-1', webUid);
      batch = await pods.run('batch-1', batchUid);
      const add = async (sandbox: string, name: string, attempt: number, script: string) => {
        ids[`${name}-${attempt}`] = await pods.add(sandbox, name, attempt, script);
      };
      // Each leaves a page of its own behind.
      for (const attempt of [0, 1, 2]) await add(web, 'app', attempt, 'echo x >/tmp/file; exit 1');
      await add(web, 'app', 3, 'dd if=/dev/zero of=/tmp/hot bs=1M count=32; cat /tmp/hot; exec sleep 100000');
      await add(web, 'job', 0, 'echo x >/tmp/file');
      for (const attempt of [0, 1]) await add(batch, 'task', attempt, 'echo x >/tmp/file');
      await add(web, 'worker', 0, 'exec sleep 100000');
      await add(web, 'worker', 1, 'echo x >/tmp/file');
      await pods.crictl(`stopp ${batch}`);
      // Of a pod that nobody knows any more.
      await node.sh(`mkdir -p ${leftover}/inner`);
      // What is over is over for some minutes, but for one.
      await node.sh('sync; date --set "+400 seconds" >/dev/null');
      await pods.crictl(`stop ${ids['worker-0']}`);
    }, 900_000);

    /** An emulated machine can be so slow that the probe runs out of time, and says so. */
    const collect = async () => {
      for (let tries = 1; ; tries++) {
        const services = json(await node.document('collect-services', {}));
        if (tries === 4 || !/slow|did not answer within/.test(JSON.stringify(services.probes.containers)))
          return services;
      }
    };
    const inOrder = (...names: string[]) => names.map((name) => ids[name]);

    it('are counted as containerd itself counts them', async () => {
      const seen = await pods.seen();
      const services = await collect();
      const { containers } = services.probes;
      const [runtime, runc] = await Promise.all([
        node.sh(`containerd --version | awk '{ print $3 }'`),
        node.sh(`runc --version | awk 'NR == 1 { print $3 }'`),
      ]);
      const now = Date.parse(services.collectedAt) / 1000;
      const ages = await Promise.all(seen.exited.map(async (id) => now - (await pods.madeAt(id))));
      says(node, `containers: ${JSON.stringify(containers.value)}`);

      expect(seen.running).toEqual(inOrder('app-3'));
      expect(seen.exited).toHaveLength(8);
      expect(containers.value).toMatchObject({
        running: seen.running.length,
        exited: seen.exited.length,
        other: 0,
        sandboxesReady: seen.ready.length,
        sandboxesNotReady: seen.notReady.length,
        runtime: 'containerd',
        runtimeVersion: runtime,
        runc,
        cgroupDriver: 'systemd',
        notRead: {},
      });
      expect(seen.notReady).toEqual([batch]);
      // containerd and its CRI note the time each for itself.
      expect(Math.abs(containers.value.oldestExitedSeconds - Math.max(...ages))).toBeLessThan(60);
      expect(containers.value.oldestNotReadySeconds).toBeGreaterThanOrEqual(400);
    });

    it('leave zombies where their pods are, which reclaim takes without the cache of a living container', async () => {
      const { probes } = json(
        await node.document('collect-evidence', { profile: 'full', windowSeconds: '0' }),
      );
      const [before, ofPods] = [await node.dying('/kubepods.slice'), probes.slices.value.entries];
      const hot = `${pods.slice(webUid)}/${pods.scope(ids['app-3'] ?? '')}`;
      const kept = await node.cacheOf(hot);
      const result = json(
        await node.document('reclaim', {
          slices: '/kubepods.slice',
          cpuPercent: '50',
          psiFullLimit: '0',
          ioFullLimit: '0',
          incident: 'n-pods',
          fencing: '1',
        }),
      );
      const after = { dying: await node.dying('/kubepods.slice'), hot: await node.cacheOf(hot) };
      says(
        node,
        `zombies of pods ${before} → ${after.dying}; cache of a living container ${kept} → ${after.hot} bytes`,
      );

      expect(before).toBeGreaterThanOrEqual(7);
      expect(ofPods).toContainEqual(expect.objectContaining({ path: '/kubepods.slice', dying: before }));
      expect(result).toMatchObject({ changed: true });
      expect(after.dying).toBeLessThan(before / 2);
      expect(after.hot).toBeGreaterThan(kept * 0.95);
    });

    it('are pruned when they are over, old, and not the newest of their name; the oldest first', async () => {
      const parameters = { minAgeSeconds: '300', maxRemove: '10', incident: 'n-prune', fencing: '2' };
      const before = await pods.seen();
      const dry = json(await node.document('prune-containers', { ...parameters, dryRun: 'true' }));
      expect(await pods.seen()).toEqual(before);
      const result = json(await node.document('prune-containers', parameters));
      const after = await pods.seen();
      const again = json(await node.document('prune-containers', parameters));

      const removed = inOrder('app-0', 'app-1', 'task-0');
      expect(result).toMatchObject({
        changed: true,
        before: { running: 1, exited: 8 },
        after: { running: 1, exited: 5 },
        keptNewest: 4,
        keptRecent: 1,
        unreadable: 0,
        refusals: [],
      });
      expect(result.changes.map((change: { subject: string }) => change.subject)).toEqual(removed);
      expect(dry).toMatchObject({ changed: false, changes: result.changes, refusals: [], keptRecent: 1 });
      expect(after).toEqual({
        ...before,
        containers: before.containers.filter((id) => !removed.includes(id)),
        exited: before.exited.filter((id) => !removed.includes(id)),
      });
      expect(again).toMatchObject({ changed: false, changes: [] });
    });

    it('keep the cgroup of their pod as long as the runtime knows the pod', async () => {
      const parameters = { minAgeSeconds: '60', maxCount: '100', incident: 'n-pod-dirs', fencing: '3' };
      const known = `${node.mount}${pods.slice(batchUid)}`;
      // A directory that looks older than the node has been up is left, and the clock had been set forward.
      await node.sh('date --set "-400 seconds" >/dev/null');
      /** The kernel counts the age of a directory from the first look at it, and anew when something goes in it. */
      const age = () =>
        node.sh(
          `echo 2 >/proc/sys/vm/drop_caches; find ${node.mount}/kubepods.slice -type d -exec stat {} + >/dev/null; sleep 62`,
        );
      await age();
      expect(await node.sh(`cat ${known}/cgroup.events`)).toContain('populated 0');
      const dry = json(await node.document('stop-scopes', { ...parameters, dryRun: 'true' }));
      const result = json(await node.document('stop-scopes', parameters));
      const left = await node.sh(`ls -d ${known} ${leftover} 2>/dev/null || true`);
      await pods.crictl(`rmp ${batch}`);
      await age();
      const forgotten = json(await node.document('stop-scopes', parameters));

      const subjects = ({ changes }: { changes: { subject: string }[] }) =>
        changes.map(({ subject }) => subject).filter((subject) => subject.includes('kubepods'));
      expect(subjects(result)).toEqual([pods.slice(goneUid)]);
      expect(dry.changes).toEqual(result.changes);
      expect(left).toBe(known);
      expect(subjects(forgotten)).toEqual([pods.slice(batchUid)]);
      expect(await node.sh(`ls -d ${known} 2>/dev/null || true`)).toBe('');
      expect((await pods.seen()).running).toEqual(inOrder('app-3'));
    });
  });
}
