import { describe, expect, it } from 'vitest';
import { type BootedNode, json } from './booted-node.ts';

const says = (node: BootedNode, text: string) => process.stdout.write(`${node.variant}: ${text}\n`);

/** Real logins, services and scopes: what makes dying cgroups, and what ends it. */
export function sessionsSuite(node: BootedNode): void {
  const controllers = () =>
    node.sh(
      `find ${node.mount}/user.slice -name cgroup.subtree_control 2>/dev/null | sort | while read -r file; do echo "$file: $(cat "$file")"; done`,
    );
  const overrides = () =>
    node.sh(`find /etc/systemd/system /var/lib/systemd/linger | sort | xargs -d '\\n' stat -c '%n %a %F'`);
  /** Zombies that `count` logins leave, each of which writes a file. */
  const logins = async (count: number, user = 'alice'): Promise<number> => {
    const before = await node.dying();
    await node.sh(
      `for i in $(seq ${count}); do su - ${user} -c 'echo x >"$HOME/$RANDOM.$RANDOM"'; done; sleep 3`,
    );
    return (await node.dying()) - before;
  };

  describe('sessions', () => {
    it('leave a zombie for each login, with linger just the same, which ends as it began', async () => {
      const before = await overrides();
      const plain = await logins(6);
      const linger = json(
        await node.document('enable-linger', {
          users: 'alice nobody-here',
          ...node.incident('n-linger'),
        }),
      );
      const lingering = await logins(6);
      const ended = json(await node.document('disable-linger', { incident: 'n-linger' }));
      says(node, `zombies of 6 logins: ${plain}; with linger: ${lingering}`);

      expect(linger).toMatchObject({ changed: true, refusals: [{ subject: 'nobody-here' }] });
      expect(ended).toMatchObject({ changed: true, restored: 1, remaining: 0 });
      expect(plain).toBeGreaterThanOrEqual(5);
      expect(lingering).toBeGreaterThanOrEqual(5);
      // alice's manager goes some seconds after her linger.
      await node.sh(
        'for second in $(seq 60); do systemctl is-active --quiet user@1000.service || exit 0; sleep 1; done; exit 1',
      );
      expect(await overrides()).toBe(before);
    });

    it('leave none while contained, at once, and get their memory cgroups back', async () => {
      // A session that stays, and its user's manager.
      await node.sh(
        `loginctl enable-linger bob; systemd-run --quiet --unit=stay su - bob -c 'sleep 3000'; sleep 5`,
      );
      const before = { controllers: await controllers(), overrides: await overrides() };
      const parameters = { allowLimitLoss: 'false', ...node.incident('n-sessions') };
      const dry = json(await node.document('contain-sessions', { ...parameters, dryRun: 'true' }));
      expect(await controllers()).toBe(before.controllers);
      const result = json(await node.document('contain-sessions', parameters));
      const contained = await logins(6);
      const again = json(await node.document('contain-sessions', parameters));
      const undone = json(await node.document('release-sessions', { incident: 'n-sessions' }));
      const released = await logins(4);
      says(node, `zombies of 6 logins, contained: ${contained}; of 4 after the release: ${released}`);

      expect(dry.changes).toEqual(result.changes);
      expect(result).toMatchObject({
        changed: true,
        before: { memoryPerSession: true },
        after: { memoryPerSession: false, memoryCgroups: 0 },
      });
      expect(again).toMatchObject({ changed: false, changes: [] });
      expect(undone).toMatchObject({ changed: true, skipped: [], remaining: 0 });
      expect(contained).toBeLessThanOrEqual(1);
      expect(released).toBeGreaterThanOrEqual(3);
      // Until alice's manager is gone.
      await node.sh(
        'for second in $(seq 60); do systemctl is-active --quiet user@1000.service || break; sleep 1; done; sleep 1',
      );
      expect(await overrides()).toBe(before.overrides);
      expect(await controllers()).toBe(before.controllers);
      await node.sh('systemctl stop stay; loginctl disable-linger bob');
    });

    it('keep their limits, unless their loss is allowed', async () => {
      await node.sh(`systemctl set-property user-1001.slice MemoryMax=300M`);
      const refused = await node.document('contain-sessions', {
        allowLimitLoss: 'false',
        ...node.incident('n-limit'),
      });
      await node.sh('systemctl revert user-1001.slice');

      expect(refused.status).toBe('Failed');
      expect(JSON.parse(refused.stdout).error).toContain('memory limits in force would be lost');
    });
  });

  describe('a service that keeps starting', () => {
    it('leaves a zombie for each start, none while contained, and goes back where it was', async () => {
      await node.sh(`mkdir -p /var/leak
        printf '#!/bin/sh\\necho x >/var/leak/$$.$(date +%%N)\\nexit 1\\n' >/usr/local/bin/leak-and-crash
        chmod +x /usr/local/bin/leak-and-crash
        printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nExecStart=/usr/local/bin/leak-and-crash\\nRestart=always\\nRestartSec=0.2\\n' >/etc/systemd/system/crash-looper.service
        systemctl daemon-reload; systemctl start crash-looper; sleep 3`);
      const before = await overrides();
      const watch = async () => {
        const [restarts, dying] = [
          await node.number('systemctl show -P NRestarts crash-looper'),
          await node.dying(),
        ];
        await node.sh('sleep 15');
        return {
          restarts: (await node.number('systemctl show -P NRestarts crash-looper')) - restarts,
          zombies: (await node.dying()) - dying,
        };
      };
      const plain = await watch();
      const parameters = { unit: 'crash-looper', allowLimitLoss: 'false', ...node.incident('n-unit') };
      const dry = json(await node.document('contain-unit', { ...parameters, dryRun: 'true' }));
      const result = json(await node.document('contain-unit', parameters));
      await node.sh('sleep 3');
      const contained = await watch();
      const undone = json(await node.document('release-unit', { incident: 'n-unit' }));
      await node.sh('sleep 3');
      const released = await watch();
      says(
        node,
        `zombies of a crash loop: ${plain.zombies} in ${plain.restarts} restarts; contained: ${contained.zombies} in ${contained.restarts}; released: ${released.zombies} in ${released.restarts}`,
      );

      expect(dry.changes).toEqual(result.changes);
      expect(result).toMatchObject({
        changed: true,
        before: { memoryPerStart: true },
        after: { memoryPerStart: false },
      });
      expect(undone).toMatchObject({ changed: true, remaining: 0 });
      expect(await overrides()).toBe(before);
      expect(await node.sh('systemctl show -P Slice crash-looper')).toBe('system.slice');
      expect(plain.zombies).toBeGreaterThan(plain.restarts / 2);
      expect(contained.zombies).toBeLessThanOrEqual(1 + contained.restarts / 10);
      expect(released.zombies).toBeGreaterThan(released.restarts / 2);
      await node.sh(
        'systemctl stop crash-looper; rm /etc/systemd/system/crash-looper.service; systemctl daemon-reload',
      );
    });
  });
}
