import { expect, it } from 'vitest';
import type { Decider } from '../../local/approvals.ts';
import { describeNode } from './booted-node.ts';
import { incidentsOn, rungsOf } from './incidents.ts';
import { takeBack } from './node-state.ts';
import { producerBesideLogins } from './producers.ts';

describeNode('v2', (node) => {
  const incidents = incidentsOn(node, {
    healthy: { fault: 'healthy' },
    churn: { fault: 'session-churn', cluster: { sessions: { linger: 'always' } } },
    'two-producers': { fault: 'session-churn' },
    abandoned: {
      fault: 'healthy',
      cluster: { scopes: { minAgeSeconds: 60 }, thresholds: { leakedScopes: 4, dyingPerHour: 100_000 } },
    },
  });
  const logins = () => node.number('ls /home/alice/seen | wc -l');

  it('healthy: nothing is done', async () => {
    const { record, state } = await incidents.run('healthy');

    expect(record).toMatchObject({ outcome: 'observed', diagnosis: { cause: 'healthy' }, rungs: [] });
    // The container runtime of the fault turns controllers on at the root, and they stay.
    const others = (lines: string[]) => lines.filter((line) => !line.startsWith('./cgroup.subtree_control:'));
    expect(others(await incidents.stateOf())).toEqual(others(state));
  });

  it('session churn: linger does not help and is undone, contained sessions leave nothing, what is left is freed', async () => {
    // A person takes their time, and the logins go on.
    const slowly: Decider = async () => {
      await node.sh(
        `until (($(awk '$1 == "nr_dying_descendants" { print $2 }' ${node.mount}/user.slice/cgroup.stat) > 90)); do sleep 1; done`,
      );
      return { decision: 'approve' };
    };
    let [made, left] = [0, 0];
    const incident = await incidents.run('churn', {
      decider: slowly,
      async meanwhile({ id }) {
        const before = { logins: await logins(), dying: await node.dying('/user.slice') };
        await node.sh(`until (($(ls /home/alice/seen | wc -l) >= ${before.logins + 10})); do sleep 1; done`);
        made = (await logins()) - before.logins;
        left = (await node.dying('/user.slice')) - before.dying;
        await takeBack(node, 'release-sessions', id);
      },
    });

    expect(incident.record).toMatchObject({ outcome: 'cured', diagnosis: { cause: 'session-churn' } });
    const [first, ...others] = rungsOf(incident);
    // Whether the level fell by half while the logins went on is a matter of how fast they are.
    expect(first).toMatch(/^reclaim (relieved|not-cured)$/);
    expect(others).toEqual([
      'enable-linger not-cured undone',
      'contain-sessions approved relieved',
      'reclaim cured',
    ]);
    expect(incident.record.reason).toMatch(/^contain-sessions and then reclaim helped: /);
    expect(incident.symptom.before).toBeGreaterThanOrEqual(90);
    expect(incident.symptom.after).toBeLessThan(60);
    expect(made).toBeGreaterThanOrEqual(10);
    expect(left).toBeLessThanOrEqual(1);

    expect(await incidents.stateOf()).toEqual(incident.state);
  });

  it('session churn beside another producer: containing the sessions does not help and is undone', async () => {
    const incident = await incidents.run('two-producers', { beside: producerBesideLogins });

    expect(incident.record.diagnosis).toMatchObject({ cause: 'session-churn' });
    expect(['relieved', 'unresolved']).toContain(incident.record.outcome);
    expect(rungsOf(incident).slice(1)).toEqual(['contain-sessions approved not-cured undone', 'notify done']);
    expect(incident.messages.map(({ kind }) => kind)).toContain('call-a-person');
    expect(await incidents.stateOf()).toEqual(incident.state);
  });

  it('abandoned scopes: a person approves that what logins left running is ended; who is logged in goes on', async () => {
    let [left, stays] = [0, ''];
    const incident = await incidents.run('abandoned', {
      async beside() {
        await node.sh(`
          systemd-run --quiet --unit=stay su - bob -c 'exec sleep 4999'
          for user in alice alice alice carol carol; do
            su - $user -c 'setsid sleep 5000 >/dev/null 2>&1 </dev/null & sleep 0.5'
          done
          sleep 65`);
        return async () => {
          await node.sh('systemctl stop stay; pkill -f "^sleep 5000" || true');
        };
      },
      async meanwhile() {
        left = await node.number('pgrep -fc "^sleep 5000" || true');
        stays = await node.sh('pgrep -fa "^sleep 4999"');
      },
    });

    expect(incident.record).toMatchObject({ outcome: 'cured', diagnosis: { cause: 'leaked-scopes' } });
    expect(rungsOf(incident)).toEqual(['stop-scopes approved cured']);
    expect(incident.record.rungs[0]?.arguments).toMatchObject({
      endProcesses: 'true',
      processesOf: 'alice carol',
    });
    expect(left).toBe(0);
    expect(stays).toContain('sleep 4999');
  });
});
