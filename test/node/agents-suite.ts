import { describe, expect, it } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';

const says = (node: BootedNode, text: string) => process.stdout.write(`${node.variant}: ${text}\n`);

/** A real systemd, with an agent that crash-loops and the kubelet's stand-in; a real kernel, whose caches are dropped. */
export function agentsSuite(node: BootedNode): void {
  const files = () =>
    node.sh(
      `{ find /etc/systemd/system; find /etc/cgroup-medic 2>/dev/null || true; } | sort | xargs -d '\\n' stat -c '%n %a %F %s'`,
    );
  const property = (unit: string, name: string) => node.sh(`systemctl show -P ${name} ${unit}`);
  const refused = async (name: string, parameters: Record<string, string>): Promise<string> => {
    const result = await node.document(name, parameters);
    expect(result.status).toBe('Failed');
    return JSON.parse(result.stdout).error;
  };

  describe('agents', () => {
    it('that crash-loop are stopped, stay stopped whoever starts them, and come back as they were', async () => {
      await node.sh('systemctl start flaky-agent; sleep 5');
      const before = { files: await files(), enabled: await property('flaky-agent', 'UnitFileState') };
      const parameters = { unit: 'flaky-agent', ...node.incident('n-agent') };
      const dry = json(await node.document('disable-agent', { ...parameters, dryRun: 'true' }));
      expect(await files()).toBe(before.files);
      const result = json(await node.document('disable-agent', parameters));
      const dying = await node.dying();
      await node.sh('systemctl start flaky-agent; sleep 5');
      const made = (await node.dying()) - dying;
      const held = await property('flaky-agent', 'ActiveState');
      const again = json(await node.document('disable-agent', parameters));
      const undone = json(await node.document('enable-agent', { incident: 'n-agent' }));
      const back = await property('flaky-agent', 'ActiveState');
      says(
        node,
        `crash-looping agent: ${made} zombies in 5 s once disabled, ${held}; enabled again: ${back}`,
      );

      expect(dry).toMatchObject({ changed: false, changes: result.changes, refusals: result.refusals });
      expect(result).toMatchObject({ changed: true, after: { activeState: 'inactive', mayStart: false } });
      expect(held).toBe('inactive');
      expect(made).toBeLessThanOrEqual(2);
      expect(again).toMatchObject({ changed: false, changes: [] });
      expect(undone).toMatchObject({ changed: true, skipped: [], remaining: 0 });
      expect(['active', 'activating']).toContain(back);
      expect(await files()).toBe(before.files);
      expect(await property('flaky-agent', 'UnitFileState')).toBe(before.enabled);
      await node.sh('systemctl stop flaky-agent');
    });

    it('are left alone when something needs them, and under whatever name of what the node needs', async () => {
      await node.sh(`
        printf '[Service]\\nExecStart=sleep infinity\\n' >/run/systemd/system/needed.service
        printf '[Unit]\\nBindsTo=needed.service\\n[Service]\\nExecStart=sleep infinity\\n' >/run/systemd/system/needs-it.service
        ln -sfn /lib/systemd/system/containerd.service /run/systemd/system/harmless.service
        systemctl daemon-reload; systemctl start needs-it`);
      const parameters = { ...node.incident('n-needed') };

      expect(await refused('disable-agent', { ...parameters, unit: 'needed' })).toBe(
        'needs-it.service needs needed.service and is active: it would stop with it',
      );
      for (const unit of ['kubelet', 'dbus-org.freedesktop.login1', 'systemd-logind', 'harmless']) {
        expect(await refused('disable-agent', { ...parameters, unit })).toContain('no treatment touches');
      }
      await node.sh(`
        systemctl stop needs-it needed
        rm /run/systemd/system/{needed,needs-it,harmless}.service
        systemctl daemon-reload`);
    });
  });

  it('the caches are dropped once, zombies and all', { timeout: 600_000 }, async () => {
    const hot = await node.hotService('dropped', 'dropped.slice', 64);
    await node.leak('/droppedleak.slice', 500);
    const before = { dying: await node.dying(), hot: await node.cacheOf(hot) };
    const parameters = { approval: 'policy:test', ioFullLimit: '0', ...node.incident('n-drop') };
    const dry = json(await node.document('drop-caches', { ...parameters, dryRun: 'true' }));
    const untouched = await node.cacheOf(hot);
    const result = json(await node.document('drop-caches', parameters));
    const after = { dying: await node.dying(), hot: await node.cacheOf(hot) };
    const again = json(await node.document('drop-caches', parameters));
    says(
      node,
      `drop-caches: dying ${before.dying} → ${after.dying}; cache of a living service ${before.hot} → ${after.hot} bytes; sync ${result.syncSeconds} s, drop ${result.dropSeconds} s`,
    );

    expect(untouched).toBeGreaterThan(before.hot * 0.9);
    expect(dry.changes).toEqual(result.changes);
    expect(result).toMatchObject({ changed: true, undo: null });
    expect(Math.abs(result.before.dying - before.dying)).toBeLessThan(20);
    expect(before.dying - after.dying).toBeGreaterThan(200);
    expect(after.hot).toBeLessThan(before.hot / 10);
    expect(again).toMatchObject({ changed: false, changes: [] });
    await node.sh('systemctl stop dropped');
  });
}
