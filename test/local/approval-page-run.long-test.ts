import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { IncidentRecord } from '../../lambdas/domain/incident-record.ts';
import { askPeople } from '../../local/ask-people.ts';
import { isInstalled } from '../ssm-documents/node-folder.ts';
import { launchChromium } from './chromium.ts';
import { clusters, startTestEngine, stateTable, type TestEngine } from './test-engine.ts';

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
  const env = { ...process.env, CGROUP_MEDIC_HOME: folder };
  const child = spawn(command, given, { cwd: folder, env, stdio: 'pipe' });
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

/** Everything that a run has written, with its record, report and logs. */
function filesOfRun(): string {
  const files = readdirSync(join(folder, 'runs'), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join('\n');
}

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
      const [, token = ''] = new URL(link).pathname.split('/');
      expect(started.out()).not.toContain(token);
      expect(['approval.requested', token].map((text) => filesOfRun().includes(text))).toEqual([true, false]);
      expect(IncidentRecord.parse(JSON.parse(started.out()))).toMatchObject({
        outcome: 'cured',
        rungs: [{ approval: { status: 'approved' } }],
      });
    });

    it('is denied on the page with a reason, and the terminal is told', async () => {
      const started = atTerminal();
      // Whoever types this has not seen what is asked.
      started.child.stdin?.write('yes\n');
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

    it('is over by Ctrl-C at the terminal: the page says so, and nothing listens any more', async () => {
      const started = atTerminal();
      const link = await linkIn(started.out);
      const page = await browser.newPage();
      await page.goto(link);
      await expect.poll(started.out).toContain('Approve? [yes/no]');
      started.child.stdin?.write('\u0003');
      await page.getByText('The run has ended: nothing can be decided here any more.').waitFor();
      expect(await page.getByRole('button').count()).toBe(0);

      expect(await started.ended).toBe(130);
      expect(started.out()).toContain('janitor.finished');
      await expect(fetch(link)).rejects.toThrow('fetch failed');
    });
  },
);

it('without a terminal is over by SIGTERM, with the record alone on standard output', async () => {
  const started = withoutTerminal();
  const link = await linkIn(started.err);
  started.child.kill('SIGTERM');

  expect(await started.ended).toBe(143);
  expect(IncidentRecord.parse(JSON.parse(started.out())).outcome).toBe('failed');
  await expect(fetch(link)).rejects.toThrow('fetch failed');
});

describe('an approval that is asked for on a page', () => {
  let test: TestEngine;
  beforeAll(async () => {
    test = await startTestEngine();
  });
  afterAll(() => test.close());

  function people() {
    let said = '';
    const { ask, close } = askPeople({
      say: (text) => {
        said += text;
      },
    });
    return { ask, close, said: () => said };
  }

  it('expires with nobody there, which the page says, and the incident ends', async () => {
    const { ask, close, said } = people();
    let state: Promise<unknown> | undefined;
    await test.run(
      {
        node: 'v2-zombies',
        cluster: clusters.approve,
        ask: async (question) => {
          const asked = ask(question);
          state = fetch(`${await linkIn(said)}state`).then((response) => response.json());
          await asked;
        },
      },
      async ({ record, approvalProblem }) => {
        expect(said()).toContain('Without a decision the approval expires at');
        expect(approvalProblem).toBeUndefined();
        expect(record.outcome).toBe('expired');
        expect(record.reason).toContain('nobody decided by');
        expect(await state).toMatchObject({
          open: false,
          text: expect.stringMatching(/^This approval is expired/),
        });
      },
    );
    await close();
  });

  it('is asked for once where its message comes twice, and no one sees the task token', async () => {
    const { ask, close, said } = people();
    const { cloud, stack } = test.engine;
    const sns = new SNSClient({
      endpoint: cloud.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'LOCALONLY', secretAccessKey: 'local-only' },
    });
    let [times, page, token] = [0, '', ''];
    await test.run(
      {
        node: 'v2-zombies',
        cluster: clusters.approve,
        ask: async (question) => {
          times += 1;
          if (times > 1) return;
          const asked = ask(question);
          page = await (await fetch(await linkIn(said))).text();
          const { Item = {} } = await cloud.dynamo.send(
            new GetItemCommand({
              TableName: stateTable(test.engine),
              Key: marshall({ pk: `APPROVAL#${question.request.approvalId}`, sk: 'TOKEN' }),
            }),
          );
          token = unmarshall(Item).token;
          await sns.send(
            new PublishCommand({
              TopicArn: stack.outputs.NotificationTopicArn ?? '',
              Message: JSON.stringify({ version: 1, ...question.request }),
            }),
          );
          await question.decide({ decision: 'approve' }, 'page');
          await asked;
        },
      },
      ({ record, messages }) => {
        expect(record.outcome).toBe('cured');
        expect(messages.filter(({ kind }) => kind === 'approval-requested')).toHaveLength(2);
      },
    );
    await close();

    expect(times).toBe(1);
    expect(token.length).toBeGreaterThan(20);
    expect(page).toContain('What is asked');
    expect(page).not.toContain(token);
    expect(said()).not.toContain(token);
  });
});
