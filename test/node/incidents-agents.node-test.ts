import { expect, it } from 'vitest';
import * as z from 'zod';
import { describeNode } from './booted-node.ts';
import { incidentsOn, rungsOf } from './incidents.ts';
import { takeBack } from './node-state.ts';
import { hiddenProducer, unfreeableLeak } from './producers.ts';

describeNode('v2', (node) => {
  const incidents = incidentsOn(node, {
    needed: { fault: 'agent-leak' },
    // A team that does not want its agents moved about.
    unneeded: {
      fault: 'orphaned-agent',
      cluster: { policy: { treatments: { 'contain-unit': 'never' } } },
    },
    'two-producers': { fault: 'orphaned-agent' },
    // The leak is in a slice that reclaim may not touch; what it may touch cannot all be freed.
    'out-of-reach': {
      fault: 'dying-memcgs',
      cluster: { reclaim: { slices: ['/stuck.slice'], cpuPercent: 50 } },
    },
  });
  const starts = () => node.number('ls /var/lib/node-agent | wc -l');

  it('a crash loop that is needed: contained, it leaves nothing, and what is left is freed', async () => {
    let [made, left] = [0, 0];
    const incident = await incidents.run('needed', {
      async meanwhile({ id }) {
        const before = { starts: await starts(), dying: await node.dying('/system.slice') };
        await node.sh(
          `until (($(ls /var/lib/node-agent | wc -l) >= ${before.starts + 10})); do sleep 1; done`,
        );
        made = (await starts()) - before.starts;
        left = (await node.dying('/system.slice')) - before.dying;
        await takeBack(node, 'release-unit', id);
      },
    });

    expect(incident.record).toMatchObject({ outcome: 'cured', diagnosis: { cause: 'agent-leak' } });
    const [first, second] = rungsOf(incident);
    expect(first).toMatch(/^reclaim (relieved|not-cured)$/);
    expect(second).toMatch(/^contain-unit approved (cured|relieved)$/);
    expect(incident.record.rungs[1]?.arguments.unit).toBe('node-agent.service');
    expect(incident.symptom.after).toBeLessThan(incident.symptom.before);
    expect(made).toBeGreaterThanOrEqual(10);
    expect(left).toBeLessThanOrEqual(1);
    expect(await incidents.stateOf()).toEqual(incident.state);
  });

  it('a crash loop that nothing needs: disabled, it does not start any more', async () => {
    let [state, left] = ['', 0];
    const incident = await incidents.run('unneeded', {
      async meanwhile({ id }) {
        const before = await node.dying('/system.slice');
        state = await node.sh('systemctl show -P ActiveState flaky-agent; sleep 10');
        left = (await node.dying('/system.slice')) - before;
        await takeBack(node, 'enable-agent', id);
      },
    });

    expect(incident.record).toMatchObject({ outcome: 'cured', diagnosis: { cause: 'orphaned-agent' } });
    const [first, second, third] = rungsOf(incident);
    expect(first).toMatch(/^reclaim (relieved|not-cured)$/);
    expect(second).toBe('contain-unit skipped');
    expect(third).toMatch(/^disable-agent approved (cured|relieved)$/);
    expect(state).toBe('inactive');
    expect(left).toBeLessThanOrEqual(1);
    expect(await incidents.stateOf()).toEqual(incident.state);
  });

  it('a crash loop beside another producer: contained and disabled in vain, both are undone', async () => {
    let back = '';
    const incident = await incidents.run('two-producers', {
      beside: hiddenProducer,
      async meanwhile() {
        back = await node.sh('systemctl show -P Slice,ActiveState flaky-agent');
      },
    });

    expect(incident.record.diagnosis).toMatchObject({ cause: 'orphaned-agent' });
    expect(['relieved', 'unresolved']).toContain(incident.record.outcome);
    expect(rungsOf(incident).slice(1)).toEqual([
      'contain-unit approved not-cured undone',
      'disable-agent approved not-cured undone',
      'notify done',
    ]);
    expect(back).toMatch(/system\.slice/);
    expect(back).toMatch(/^activ/m);
    expect(await incidents.stateOf()).toEqual(incident.state);
  });

  it('a leak that reclaim cannot reach: it leaves no trace, and a person approves the drop of the caches', async () => {
    const protections = { before: '', after: '' };
    const incident = await incidents.run('out-of-reach', {
      async beside() {
        await node.hotService('living', 'stuck.slice', 16);
        await node.leak('/stuck.slice', 100);
        const end = await unfreeableLeak(node, '/stuck.slice/pinned.slice', 100);
        protections.before = await node.protections();
        return async () => {
          await end();
          await node.sh(
            'systemctl stop living stuck.slice; rm -rf /var/tmp/leak-stuck.slice /var/tmp/living /run/living',
          );
        };
      },
      async meanwhile() {
        protections.after = await node.protections();
      },
    });

    expect(incident.record).toMatchObject({ outcome: 'cured', diagnosis: { cause: 'dying-memcgs' } });
    expect(rungsOf(incident)).toEqual(['reclaim not-cured', 'drop-caches approved cured']);
    const { protection } = z
      .object({ protection: z.object({ raised: z.number(), restored: z.number() }) })
      .parse(incident.record.rungs[0]?.result?.details);
    expect(protection.raised).toBeGreaterThanOrEqual(1);
    expect(protection.restored).toBe(protection.raised);
    expect(protections.after).toBe(protections.before);
    expect(incident.symptom.before).toBeGreaterThan(2000);
    expect(incident.symptom.after).toBeLessThan(600);
    expect(await incidents.stateOf()).toEqual(incident.state);
  });
});
