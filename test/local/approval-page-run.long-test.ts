import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { IncidentRecord } from '../../lambdas/domain/incident-record.ts';
import { askPeople } from '../../local/ask-people.ts';
import { isInstalled } from '../ssm-documents/node-folder.ts';
import { launchChromium } from './chromium.ts';
import { clusters, startTestEngine } from './test-engine.ts';

// Whole incidents, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const root = resolve(import.meta.dirname, '../..');
const args = ['local/start.ts', '--node', 'v2-zombies', '--mode', 'approve', '--approve', 'ask'];

let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-page-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

type Run = { child: ChildProcess; ended: Promise<number | null>; out(): string; err(): string };

function run(command: string, given: string[]): Run {
  const child = spawn(command, given, { cwd: folder, stdio: 'pipe' });
  children.push(child);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  return { child, ended, out: () => out, err: () => err };
}

/** What `npm start -- ARGS` runs, without a terminal. */
const withoutTerminal = () => run(process.execPath, [join(root, 'bin/run.mjs'), ...args, '--json']);

/** The same at a terminal: all output is one stream there. */
const atTerminal = () =>
  run('script', [
    '--quiet',
    '--return',
    '--flush',
    '--command',
    [process.execPath, join(root, 'bin/run.mjs'), ...args].join(' '),
    '/dev/null',
  ]);

async function linkIn(text: () => string): Promise<string> {
  const link = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\//;
  await expect.poll(text, { timeout: 120_000, interval: 200 }).toMatch(link);
  return link.exec(text())?.[0] ?? '';
}

describe.skipIf(!isInstalled('chromium'))(
  'npm start --approve ask with a page in Chromium (skipped where it is not installed)',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser?.close());

    it('without a terminal is approved on the page, and cures', async () => {
      const started = withoutTerminal();
      const link = await linkIn(started.err);
      expect(started.err()).toContain('There is no terminal to ask at.');
      const page = await browser.newPage();
      await page.goto(link);
      await page.getByRole('button', { name: 'Approve' }).click();
      await page.getByText('This approval is approved by').waitFor();
      const second = await browser.newPage();
      await second.goto(link);
      await second.getByText('This approval is approved by').waitFor();
      expect(await second.getByRole('button').count()).toBe(0);

      expect(await started.ended).toBe(0);
      // The link is for whoever reads standard error: the record and its files are shown to others.
      expect(started.out()).not.toContain(new URL(link).pathname);
      expect(IncidentRecord.parse(JSON.parse(started.out()))).toMatchObject({
        outcome: 'cured',
        rungs: [{ approval: { status: 'approved' } }],
      });
    });

    it('is denied on the page with a reason, and the terminal is told', async () => {
      const started = atTerminal();
      const page = await browser.newPage();
      await page.goto(await linkIn(started.out));
      await expect.poll(started.out).toContain('Approve? [yes/no]');
      await page.getByLabel('Reason for a denial').fill('not on a Saturday');
      await page.getByRole('button', { name: 'Deny' }).click();
      await page.getByText('This approval is denied by').waitFor();

      expect(await started.ended).toBe(5);
      expect(started.out()).toMatch(/This approval is denied by .* on the page, at .*: not on a Saturday/);
    });

    it('is approved at the terminal, and the page is told', async () => {
      const started = atTerminal();
      const page = await browser.newPage();
      await page.goto(await linkIn(started.out));
      await expect.poll(started.out).toContain('Approve? [yes/no]');
      started.child.stdin?.write('yes\n');
      await page.getByText(/This approval is approved by .* at the terminal/).waitFor();

      expect(await started.ended).toBe(0);
      expect(started.out()).toMatch(/^cured: /m);
    });
  },
);

describe('an approval that is asked for on a page, with nobody there', () => {
  it('expires, and the incident ends', async () => {
    const test = await startTestEngine();
    let said = '';
    const { ask, close } = askPeople({
      say: (text) => {
        said += text;
      },
    });
    try {
      await test.run(
        { node: 'v2-zombies', cluster: clusters.approve, ask },
        ({ record, approvalProblem }) => {
          expect(said).toContain('Without a decision the approval expires at');
          expect(approvalProblem).toBeUndefined();
          expect(record.outcome).toBe('expired');
          expect(record.reason).toContain('nobody decided by');
        },
      );
    } finally {
      await close();
      await test.close();
    }
  });
});
