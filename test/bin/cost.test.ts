import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { estimate, usageOf } from '../../bin/cost/estimate.ts';
import { prices } from '../../bin/cost/prices.ts';
import { Settings } from '../../lambdas/domain/settings.ts';

const root = resolve(import.meta.dirname, '../..');
function cost(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/run.mjs', 'bin/cost.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const settings = (cluster: object = {}, rest: object = {}) =>
  Settings.parse({ clusters: { a: cluster }, ...rest });
const usd = (of: Settings, nodes: number, incidents: number) =>
  estimate(usageOf(of, { nodes, incidents })).usdPerMonth;

describe('npm run cost', () => {
  it('prints the estimate by service, and where each price is from', () => {
    const { status, stdout, stderr } = cost('--nodes', '100', '--incidents', '20');

    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^100 nodes, 20 incidents a month: about \$\d+\.\d\d a month/);
    for (const service of ['CloudWatch', 'Lambda', 'DynamoDB', 'KMS'])
      expect(stdout).toContain(`\n${service} `);
    expect(stdout).toContain('https://aws.amazon.com/cloudwatch/pricing/');
  });

  it('says the same as JSON, and nothing else', () => {
    const result = JSON.parse(cost('--nodes', '100', '--incidents', '20', '--json').stdout);

    expect(result).toMatchObject({ nodes: 100, incidents: 20 });
    const sum = result.lines.reduce((total: number, line: { usd: number }) => total + line.usd, 0);
    expect(result.usdPerMonth).toBeCloseTo(sum, 6);
    expect(Object.keys(result.byService)).toContain('CloudWatch');
  });

  it.each([
    [['--nodes', '100'], '--incidents is missing'],
    [['--nodes', 'many', '--incidents', '1'], '--nodes many is no whole number'],
    [['--nodes', '-1', '--incidents', '1'], '--nodes'],
    [['--node', '1'], '--node'],
  ])('refuses %j, and says how it is used', (args, message) => {
    const { status, stdout, stderr } = cost(...args);

    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: npm run cost -- --nodes N --incidents M');
  });
});

describe('the estimate', () => {
  it('grows by the metrics of each node that the settings publish, which is what a large fleet pays for', () => {
    const three = usd(settings(), 1000, 0) - usd(settings(), 0, 0);
    expect(three).toBeGreaterThan(1000 * 3 * 0.3);
    expect(three).toBeLessThan(1000 * 3 * 0.3 * 1.1);
    const none = settings({ census: { nodeMetrics: [] } });
    expect(usd(none, 1000, 0) - usd(none, 0, 0)).toBeLessThan(60);
  });

  it('of an incident is some cents', () => {
    const one = usd(settings(), 10, 1001) - usd(settings(), 10, 1000);
    expect(one).toBeGreaterThan(0.005);
    expect(one).toBeLessThan(0.05);
  });

  it('has nothing of a census that is off, of a webhook that is off, and of mails to nobody', () => {
    const off = usageOf(
      settings({ census: { enabled: false } }, { intake: { webhook: { enabled: false } } }),
      { nodes: 500, incidents: 1 },
    );
    expect(off.schedule).toBeUndefined();
    expect(off.secret).toBeUndefined();
    expect(off.snsMail).toBe(0);
    expect(off.metric).toBeLessThan(1);
  });
});

describe('a price', () => {
  it.each(Object.entries(prices))(
    '%s has its month and the page it is from',
    (_, { usd: price, per, asOf, source }) => {
      expect(price / per).toBeGreaterThan(0);
      expect(asOf).toMatch(/^20\d\d-(0[1-9]|1[0-2])$/);
      expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/[a-z-]+\/pricing\//);
    },
  );
});
