import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import type { StormResult } from '../../../local/storm/result.ts';

const home = mkdtempSync(join(tmpdir(), 'cgroup-medic-storm-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const file = join(import.meta.dirname, '../../../local/storm/main.ts');

type Ended = { code: number | null; result: StormResult; progress: string };

/** @param stopAt what its progress says as it gets a SIGTERM */
async function run(args: readonly string[], stopAt?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, [file, '--json', ...args], {
    env: { ...process.env, CGROUP_MEDIC_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let seen = '';
  let stopped = false;
  child.stderr.on('data', (chunk) => {
    seen += chunk;
    // A second one would end it at once.
    if (!stopped && stopAt?.test(seen)) stopped = child.kill('SIGTERM');
  });
  const [out, progress] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, result: JSON.parse(out), progress };
}

async function storm(...args: string[]): Promise<Omit<Ended, 'code'>> {
  const { code, ...ended } = await run(args);
  expect(ended.result.violations).toEqual([]);
  expect(code).toBe(0);
  return ended;
}

it('nodes that people are asked about are one card for each treatment, and are treated in waves', async () => {
  const { result } = await storm('--nodes', '8', '--silent', '0', '--vetoed', '0', '--recovering', '0');
  expect(result.outcomes).toEqual({ cured: 8 });
  // Each once, though it is looked at again before it is treated.
  expect(result.causes).toEqual({ 'session-churn': 8 });
  const [first] = result.cohorts;
  expect(first).toMatchObject({ treatment: 'reclaim', nodes: 8, cards: 1, notTreated: 0 });
  expect(first?.waves).toEqual([
    { number: 1, size: 1, treated: 1 },
    { number: 2, size: 2, treated: 2 },
    { number: 3, size: 4, treated: 4 },
    { number: 4, size: 8, treated: 1 },
  ]);
  // Whoever comes to a treatment a wave before all others is asked about, and treated, by itself.
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  const together = total(result.cohorts.flatMap(({ waves }) => waves.map(({ treated }) => treated)));
  const alone = total(result.treated.map(({ count }) => count)) - together;
  expect(result.cards.asked).toBe(total(result.cohorts.map(({ cards }) => cards)) + alone);
}, 1_200_000);

it('a small storm ends with nothing violated, and its JSON says what was asked, done, refused and told', async () => {
  const { result, progress } = await storm('--nodes', '12', '--mode', 'auto', '--stubborn', '1');
  expect(progress).toContain('12 nodes alarm\n');
  expect(result).toMatchObject({
    nodes: 12,
    cause: 'session-churn',
    fates: { helped: 8, silent: 1, stubborn: 1, recovering: 1, vetoed: 1 },
    incidents: 12,
    // The silent one tells nothing, and nothing is treated that has a veto.
    causes: { 'session-churn': 11, inconclusive: 1 },
    refused: { 'refuse by gate:veto': 1 },
  });
  const { cured = 0 } = result.outcomes;
  expect(cured).toBeGreaterThanOrEqual(8);
  expect(Object.values(result.outcomes).reduce((sum, count) => sum + count, 0)).toBe(12);
  const [reclaim] = result.treated.filter(({ treatment }) => treatment === 'reclaim');
  expect(reclaim?.nodes).toBeGreaterThanOrEqual(8);
  expect(result.messages.told).toBeLessThan(12);
  // A few real nodes, and not each for itself.
  expect(result.recorded.samples).toBeLessThan(12);
  const count = (call: string): number => result.rates.find((rate) => rate.call === call)?.count ?? 0;
  expect(count('states:StartExecution')).toBe(12);
  // A document is not read again with every command.
  expect(count('ssm:GetDocument')).toBeLessThan(count('ssm:SendCommand') / 2);
}, 1_200_000);

it('one that is stopped opens no further incident, and tidies up behind those that were open', async () => {
  const args = ['--nodes', '30', '--silent', '0', '--vetoed', '0', '--recovering', '0'];
  const { code, result, progress } = await run(args, /30 nodes alarm\n/);
  expect(progress).toContain('SIGTERM: all incidents are stopped');
  expect(code).toBe(143);
  expect(result.incidents).toBeLessThan(30);
  const left = result.violations.filter(({ check }) => check === 'left-behind');
  expect(left).toEqual([]);
}, 600_000);
