import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../local/command-line.ts';
import { fleetOf } from '../../../local/storm/fleet.ts';
import { stormOptions } from '../../../local/storm/options.ts';
import { stormSettings } from '../../../local/storm/settings.ts';

describe('npm run storm', () => {
  it('takes churning logins, asks about everything, and approves, unless told otherwise', () => {
    expect(stormOptions(['--nodes', '200'])).toEqual({
      help: false,
      json: false,
      nodes: 200,
      seed: 1,
      cause: 'session-churn',
      sample: 'v1-logins',
      approve: 'yes',
      mode: 'approve',
      shares: { silent: 2, stubborn: 0, recovering: 3, vetoed: 1 },
    });
  });

  it.each([
    [[], '--nodes is missing: give a whole number from 1 to 1000'],
    [['--nodes', '0'], '--nodes is "0"'],
    [['--nodes', '12x'], '--nodes is "12x"'],
    [['--nodes', '1001'], '--nodes is "1001"'],
    [['--nodes', '1', '--seed', '-1'], "'--seed'"],
    [['--nodes', '1', '--cause', 'rain'], '--cause is "rain": use one of session-churn'],
    [['--nodes', '1', '--cause', 'inconclusive'], '--cause is "inconclusive"'],
    [['--nodes', '1', '--approve', 'ask'], '--approve is "ask": use one of yes, no'],
    [['--nodes', '1', '--mode', 'loud'], '--mode is "loud": use one of observe, approve, auto'],
    [
      ['--nodes', '1', '--silent', '60', '--stubborn', '60'],
      'the shares of the fleet are 124 percent together',
    ],
    [['--knots', '1'], "Unknown option '--knots'"],
  ])('says what is wrong with %j', (args, message) => {
    expect(() => stormOptions(args)).toThrow(UsageError);
    expect(() => stormOptions(args)).toThrow(message);
  });

  it('has its gates as shipped, but for the wait for a place', () => {
    const { local } = stormSettings({ mode: 'auto', sample: 'kubelet-leak' }).clusters;
    expect(local?.gates.budget).toMatchObject({ nodeGroupPercent: 10, clusterPercent: 10, perZone: 1 });
    expect(local?.gates.breaker.failures).toBe(3);
    expect(local?.roll.singly).toBe(3);
    expect(local?.api.access).toBe('vpc');
  });
});

describe('a fleet', () => {
  const shares = { silent: 10, stubborn: 0, recovering: 5, vetoed: 1 };
  const fleet = (seed: number, nodes = 100) => fleetOf({ nodes, seed, shares });
  const fates = (seed: number, nodes?: number) =>
    Object.fromEntries(
      [...Map.groupBy(fleet(seed, nodes), ({ fate }) => fate)].map(([fate, own]) => [fate, own.length]),
    );

  it('is the same for the same seed, and another for another', () => {
    expect(fleet(7)).toEqual(fleet(7));
    expect(fleet(8).map(({ fate }) => fate)).not.toEqual(fleet(7).map(({ fate }) => fate));
    expect(new Set([...fleet(7), ...fleet(8)].map(({ instanceId }) => instanceId)).size).toBe(200);
  });

  it('has the shares that it was given, and one at least of each that is not nothing', () => {
    expect(fates(1)).toEqual({ helped: 84, silent: 10, recovering: 5, vetoed: 1 });
    expect(fates(1, 12)).toEqual({ helped: 9, silent: 1, recovering: 1, vetoed: 1 });
    expect(fleet(1, 1)).toHaveLength(1);
  });

  it('has ids as EC2 and the kernel make them, and stands in three zones', () => {
    for (const { instanceId, bootId } of fleet(3)) {
      expect(instanceId).toMatch(/^i-[0-9a-f]{17}$/);
      expect(bootId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    }
    expect(new Set(fleet(3).map(({ zone }) => zone)).size).toBe(3);
  });
});
