import { beforeAll, describe, expect, it } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';

/** The youngest that the documents may be told to touch; everything here has to be older. */
const leastAgeSeconds = 300;
const uid = (digit: string) => `${digit.repeat(8)}-2222-3333-4444-555555555555`;

/** What a treatment touches only once it is old: made all at once, so that the tests wait once. */
export function agedSuite(node: BootedNode): void {
  const property = (unit: string, name: string) => node.sh(`systemctl show -P ${name} ${unit}`);

  beforeAll(async () => {
    await node.sh(`
      # An abandoned scope with a process, and a session that is in use.
      su - alice -c 'setsid sleep 5000 >/dev/null 2>&1 </dev/null & sleep 0.5'
      systemd-run --quiet --unit=stay su - carol -c 'sleep 5000'
      systemctl start kubelet
      # A scope that nobody knows, a pod that nobody knows, one that the runtime knows, and what has no owner to ask.
      mkdir -p ${node.mount}/system.slice/run-gone.scope/inner ${node.mount}/kubepods/pod${uid('1')}/c \\
        ${node.mount}/kubepods/pod${uid('2')}/c ${node.mount}/plain/dir`);
    await node.sh(`sleep ${leastAgeSeconds + 10}`, leastAgeSeconds + 60);
  }, 900_000);

  describe('sessions that are stuck in closing', () => {
    it('are gone when logind has been restarted, but for those that still have processes', async () => {
      await node.sh(`
        session=$(loginctl list-sessions --no-legend | awk '$3 == "carol" { print $1; exit }')
        # One whose scope and leader are gone, and whose end logind has missed.
        sed 's/^STATE=.*/STATE=closing/; s/^SCOPE=.*/SCOPE=session-c999.scope/; s/^LEADER=.*/LEADER=99999/; /FIFO/d' \\
          "/run/systemd/sessions/$session" >/run/systemd/sessions/c999`);
      const parameters = { minUptimeSeconds: String(leastAgeSeconds), ...node.incident('n-logind') };
      const dry = json(await node.document('restart-logind', { ...parameters, dryRun: 'true' }));
      const result = json(await node.document('restart-logind', parameters));

      expect(dry).toMatchObject({ changed: false, changes: result.changes });
      // alice's has a process left in it: it is for stop-scopes.
      expect(result).toMatchObject({ changed: true, before: { closing: 2 }, after: { closing: 1 }, gone: 0 });
      await node.sh('systemctl is-active --quiet stay; loginctl list-sessions --no-legend | grep -q carol');
    });
  });

  describe('what is left over', () => {
    it('is stopped and removed; what is used, or owned, is not', async () => {
      await node.sh(`
        printf '#!/bin/bash\\necho "{ \\\\"items\\\\": [ { \\\\"uid\\\\": \\\\"${uid('2')}\\\\" } ] }"\\n' >/usr/local/sbin/crictl
        chmod +x /usr/local/sbin/crictl`);
      const parameters = {
        minAgeSeconds: String(leastAgeSeconds),
        maxCount: '100',
        ...node.incident('n-scopes'),
      };
      const careful = json(await node.document('stop-scopes', { ...parameters, dryRun: 'true' }));
      const result = json(
        await node.document('stop-scopes', { ...parameters, endProcesses: 'true', processesOf: 'alice' }),
      );
      const again = json(await node.document('stop-scopes', parameters));

      expect(careful.refusals).toMatchObject([{ subject: expect.stringMatching(/^session-/) }]);
      expect(result).toMatchObject({
        changed: true,
        stopped: 1,
        removed: 2,
        refusals: [],
        after: { scopes: 0 },
      });
      expect(again).toMatchObject({ changed: false });
      await node.sh(`
        test ! -e ${node.mount}/system.slice/run-gone.scope; test ! -e ${node.mount}/kubepods/pod${uid('1')}
        test -d ${node.mount}/kubepods/pod${uid('2')}/c; test -d ${node.mount}/plain/dir
        systemctl is-active --quiet stay; rm /usr/local/sbin/crictl`);
    });
  });

  describe('the kubelet', () => {
    it('is restarted once, and what it has started lives on', async () => {
      const parameters = {
        minUptimeSeconds: String(leastAgeSeconds),
        maxSeconds: '120',
        ...node.incident('n-kubelet'),
      };
      const child = await node.sh('pgrep -P "$(systemctl show -P MainPID kubelet)"');
      const dry = json(await node.document('restart-kubelet', { ...parameters, dryRun: 'true' }));
      const result = json(await node.document('restart-kubelet', parameters));
      const again = json(await node.document('restart-kubelet', parameters));
      const soon = await node.document('restart-kubelet', {
        ...parameters,
        ...node.incident('n-kubelet-soon'),
      });
      process.stdout.write(
        `${node.variant}: kubelet (a stand-in): pid ${result.before.mainPid} → ${result.after.mainPid}, healthy again after ${result.waitedSeconds} s\n`,
      );

      expect(dry).toMatchObject({ changed: false, changes: result.changes });
      expect(result).toMatchObject({
        changed: true,
        before: { state: 'active', healthz: true, rssKb: expect.any(Number) },
        after: { state: 'active', healthz: true, rssKb: expect.any(Number) },
      });
      expect(result.after.mainPid).not.toBe(result.before.mainPid);
      expect(String(result.after.mainPid)).toBe(await property('kubelet', 'MainPID'));
      expect(await node.sh(`cat /proc/${child}/comm`)).toBe('sleep');
      expect(again).toMatchObject({ changed: false, changes: [] });
      expect(JSON.parse(soon.stdout).error).toContain('started');
    });

    it('is not restarted when somebody has stopped it', async () => {
      await node.sh('systemctl stop kubelet');
      const refused = await node.document('restart-kubelet', {
        minUptimeSeconds: String(leastAgeSeconds),
        maxSeconds: '120',
        ...node.incident('n-kubelet-stopped'),
      });

      expect(refused.status).toBe('Failed');
      expect(JSON.parse(refused.stdout).error).toContain('is stopped');
    });
  });
}
