import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LambdaRuntime, UnknownFunctionError } from '../../../local/engine/lambda-runtime.ts';
import type { TaskError } from '../../../local/engine/task-error.ts';
import type { TemplateFunction } from '../../../local/engine/template.ts';

const bundle = `
let calls = 0;
console.log('cold start');
export async function handler(event, context) {
  calls += 1;
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
  if (event.fail) { const error = new TypeError('no such ' + event.fail); error.name = 'NoSuchThing'; throw error; }
  if (event.throwText) throw event.throwText;
  if (event.exit) process.exit(3);
  if (event.large) return 'x'.repeat(6 * 1024 * 1024);
  if (event.nothing) return undefined;
  console.log('printed by the function', event);
  return {
    event, calls, env: process.env, pid: process.pid, cwd: process.cwd(),
    context: { ...context, remaining: context.getRemainingTimeInMillis() },
  };
}
export const notAFunction = 1;
`;

let folder: string;
let logFile: string;
let runtime: LambdaRuntime;

function functionNamed(name: string, change: Partial<TemplateFunction> = {}): TemplateFunction {
  const directory = join(folder, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'index.mjs'), bundle);
  return {
    logicalId: name,
    name,
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    handler: 'index.handler',
    environment: { OWN: name },
    timeoutSeconds: 10,
    memoryMb: 256,
    logGroup: `/aws/lambda/${name}`,
    directory,
    ...change,
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-lambda-'));
  logFile = join(folder, 'functions.log');
  runtime = new LambdaRuntime({
    functions: [
      functionNamed('work'),
      functionNamed('other'),
      functionNamed('hasty', { timeoutSeconds: 1 }),
      functionNamed('lost', { handler: 'index.nowhere' }),
      functionNamed('absent', { handler: 'missing.handler' }),
    ],
    endpoint: 'http://127.0.0.1:1',
    logFile,
  });
});
afterEach(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

type Answer = {
  event: unknown;
  calls: number;
  env: Record<string, string>;
  pid: number;
  cwd: string;
  context: Record<string, unknown>;
};

async function invoke(name: string, event: Parameters<LambdaRuntime['invoke']>[1] = {}): Promise<Answer> {
  return (await runtime.invoke(name, event)) as Answer;
}

async function failureOf(name: string, event: Parameters<LambdaRuntime['invoke']>[1] = {}) {
  const error = (await runtime.invoke(name, event).catch((reason: unknown) => reason)) as TaskError;
  return { name: error.name, cause: JSON.parse(error.message) };
}

describe('a function', () => {
  it('gets the event and a context like in Lambda, by name or ARN', async () => {
    const { event, context, cwd } = await invoke('arn:aws:lambda:us-east-1:000000000000:function:work', {
      a: 1,
    });
    expect(event).toEqual({ a: 1 });
    expect(context).toMatchObject({
      functionName: 'work',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:work',
      memoryLimitInMB: '256',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(context.remaining).toBeGreaterThan(5000);
    expect(context.remaining).toBeLessThanOrEqual(10_000);
    expect(cwd).toBe(join(folder, 'work'));
  });

  it('has its own variables, those of the runtime, and nothing of this machine', async () => {
    process.env.CGROUP_MEDIC_TEST_SECRET = 'of this machine';
    try {
      const { env } = await invoke('work');
      expect(env).toMatchObject({
        OWN: 'work',
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_LAMBDA_FUNCTION_NAME: 'work',
        _HANDLER: 'index.handler',
        AWS_CONFIG_FILE: '/dev/null',
      });
      expect(env).not.toHaveProperty('CGROUP_MEDIC_TEST_SECRET');
      expect(env).not.toHaveProperty('HOME');
      expect(env).not.toHaveProperty('VITEST');
    } finally {
      delete process.env.CGROUP_MEDIC_TEST_SECRET;
    }
  });

  it('stays warm, and two calls at once get two processes', async () => {
    const first = await invoke('work');
    const second = await invoke('work');
    expect(second).toMatchObject({ pid: first.pid, calls: 2 });
    const [a, b] = await Promise.all([invoke('work', { sleepMs: 100 }), invoke('work', { sleepMs: 100 })]);
    expect(a.pid).not.toBe(b.pid);
    expect((await invoke('other')).pid).not.toBe(first.pid);
  });

  it('answers null for undefined', async () => {
    expect(await runtime.invoke('work', { nothing: true })).toBeNull();
  });

  it('prints to the log, with a line for each invocation', async () => {
    await invoke('work', { a: 1 });
    const log = readFileSync(logFile, 'utf8');
    expect(log).toContain('printed by the function');
    expect(log).toMatch(/"platform.start".*"functionName":"work"/);
    expect(log).toMatch(/"platform.report".*"durationMs":\d+/);
  });
});

describe('an error', () => {
  it('of the function has its name and message', async () => {
    expect(await failureOf('work', { fail: 'node' })).toEqual({
      name: 'NoSuchThing',
      cause: { errorType: 'NoSuchThing', errorMessage: 'no such node', trace: expect.any(Array) },
    });
    expect(await invoke('work')).toMatchObject({ calls: 2 });
  });

  it('that is no Error is named by its type', async () => {
    expect(await failureOf('work', { throwText: 'plain' })).toMatchObject({
      name: 'string',
      cause: { errorMessage: 'plain' },
    });
  });

  it('for taking too long kills the process; the next call gets a fresh one', async () => {
    const { pid } = await invoke('hasty');
    expect(await failureOf('hasty', { sleepMs: 60_000 })).toMatchObject({
      name: 'Sandbox.Timedout',
      cause: { errorMessage: expect.stringContaining('timed out after 1.00 seconds') },
    });
    const next = await invoke('hasty');
    expect(next.calls).toBe(1);
    expect(next.pid).not.toBe(pid);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('for ending the process says so; the next call gets a fresh one', async () => {
    expect(await failureOf('work', { exit: true })).toMatchObject({
      name: 'Runtime.ExitError',
      cause: { errorMessage: expect.stringContaining('exit status 3') },
    });
    expect(await invoke('work')).toMatchObject({ calls: 1 });
  });

  it('for a handler that is not there names it', async () => {
    expect((await failureOf('lost')).name).toBe('Runtime.HandlerNotFound');
    expect((await failureOf('absent')).name).toBe('Runtime.ImportModuleError');
  });

  it('for too large an event or answer', async () => {
    await expect(runtime.invoke('work', 'x'.repeat(6 * 1024 * 1024))).rejects.toMatchObject({
      name: 'Lambda.RequestTooLargeException',
    });
    expect((await failureOf('work', { large: true })).name).toBe('Function.ResponseSizeTooLarge');
  });

  it('for a function that the template does not have', async () => {
    await expect(runtime.invoke('nobody', {})).rejects.toThrow(UnknownFunctionError);
  });
});

describe('the end', () => {
  it('of the runtime ends all processes', async () => {
    const { pid } = await invoke('work');
    await runtime.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('of the engine by SIGKILL ends its functions too', async () => {
    // Prepare: an engine of its own, with a function in the middle of a call.
    const script = join(folder, 'engine.ts');
    const source = join(import.meta.dirname, '../../../local/engine/lambda-runtime.ts');
    writeFileSync(
      script,
      `import { LambdaRuntime } from ${JSON.stringify(source)};
       const runtime = new LambdaRuntime(${JSON.stringify({ functions: [functionNamed('work')], endpoint: 'http://127.0.0.1:1', logFile })});
       const { pid } = await runtime.invoke('work', {});
       runtime.invoke('work', { sleepMs: 60000 });
       console.log(pid);`,
    );
    const engine = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = Number(String(await new Promise((resolve) => engine.stdout.once('data', resolve))));
    expect(pid).toBeGreaterThan(0);

    // Act
    engine.kill('SIGKILL');

    // Assess
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it('does not come with Ctrl-C: the functions may be needed to clean up', async () => {
    const { pid } = await invoke('work');
    process.kill(pid, 'SIGINT');
    await sleep(200);
    expect(await invoke('work')).toMatchObject({ pid });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a machine that can do one thing at a time', () => {
  let busy: LambdaRuntime;
  const served: { name: string; startedAt: number; endedAt: number }[] = [];
  beforeEach(() => {
    served.length = 0;
    busy = new LambdaRuntime({
      functions: [functionNamed('work'), functionNamed('other')],
      endpoint: 'http://127.0.0.1:1',
      logFile,
      mostAtOnce: 1,
      onServed: (one) => served.push(one),
    });
  });
  afterEach(() => busy.close());

  it('serves one event after the other, in the order in which they came', async () => {
    await Promise.all(['work', 'other', 'work'].map((name) => busy.invoke(name, { sleepMs: 100 })));
    expect(served.map(({ name }) => name)).toEqual(['work', 'other', 'work']);
    for (const [index, { startedAt }] of served.slice(1).entries()) {
      expect(startedAt).toBeGreaterThanOrEqual(served[index]?.endedAt ?? 0);
    }
  });

  it('goes on after one that failed, and serves at once what a function asks another', async () => {
    const failed = busy.invoke('work', { fail: 'thing', sleepMs: 300 }).catch(() => 'failed');
    const nested = busy.invoke('other', {}, { nested: true }).then(() => 'nested');
    expect(await Promise.race([failed, nested])).toBe('nested');
    const next = busy.invoke('other', {});
    expect(await failed).toBe('failed');
    expect(await next).toMatchObject({ event: {} });
  });
});
