import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type AgentDocument, runDocument } from '../../../local/node/ssm-agent.ts';

const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-agent-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Step = { script: string; timeoutSeconds?: string; onFailure?: 'exit' };

function document(steps: Step[], parameters: NonNullable<AgentDocument['parameters']> = {}): AgentDocument {
  return {
    parameters,
    mainSteps: steps.map(({ script, timeoutSeconds, onFailure }, index) => ({
      name: `step${index}`,
      ...(onFailure === undefined ? {} : { onFailure }),
      inputs: { runCommand: script.split('\n'), ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) },
    })),
  };
}

function run(
  steps: Step[] | string,
  parameters: Record<string, string> = {},
  rules: AgentDocument['parameters'] = {},
) {
  const list = typeof steps === 'string' ? [{ script: steps }] : steps;
  return runDocument({ content: document(list, rules), parameters });
}

describe('a step', () => {
  it('is one file run by sh -c, its shebang honoured', async () => {
    const shell = 'test -n "$BASH_VERSION" && echo bash || echo other';

    expect((await run('#!/bin/cat\nis its own input')).stdout).toContain('is its own input');
    expect((await run(`#!/usr/bin/env bash\n${shell}`)).stdout).toBe('bash\n');
    expect((await run('echo "$0"')).stdout).toMatch(/^\/.*_script_0\.sh\n$/);
  });

  it('has no implicit errexit: the last command decides', async () => {
    expect(await run('false\necho on')).toMatchObject({ status: 'Success', responseCode: 0, stdout: 'on\n' });
    expect(await run('echo on\nexit 3')).toMatchObject({ status: 'Failed', responseCode: 3 });
  });

  it('keeps 24,000 characters of stdout and 8,000 of stderr', async () => {
    const result = await run(
      'head -c 30000 /dev/zero | tr "\\0" o; head -c 30000 /dev/zero | tr "\\0" e >&2',
    );

    expect(result.stdout).toBe('o'.repeat(24_000));
    expect(result.stderr).toBe('e'.repeat(8_000));
    expect(result.steps[0]).toMatchObject({ stdout: result.stdout, stderr: result.stderr });
  });

  it('keeps no more than that of all steps together', async () => {
    const script = 'head -c 20000 /dev/zero | tr "\\0" o; head -c 6000 /dev/zero | tr "\\0" e >&2';
    const result = await run([{ script }, { script }]);

    expect(result.stdout).toBe('o'.repeat(24_000));
    expect(result.stderr).toBe('e'.repeat(8_000));
  });

  it('leaves no script behind', async () => {
    const { stdout } = await run('echo "$0"');

    expect(existsSync(stdout.trim())).toBe(false);
  });

  it('is killed with its whole process group when its time is over', async () => {
    const late = join(folder, 'late');
    const started = Date.now();
    const result = await run([
      { script: `(sleep 3; touch ${late}) & trap '' TERM\necho begun\nsleep 60`, timeoutSeconds: '1' },
    ]);

    expect(result).toMatchObject({ status: 'TimedOut', responseCode: 137, stdout: 'begun\n' });
    expect(Date.now() - started).toBeLessThan(3000);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(existsSync(late)).toBe(false);
  });

  it('is a time-out too when somebody else kills it', async () => {
    expect(await run('kill -KILL $$')).toMatchObject({ status: 'TimedOut', responseCode: 137 });
    expect(await run('exit 137')).toMatchObject({ status: 'TimedOut' });
  });

  it('asks for a restart with 194, and nothing runs after it', async () => {
    const result = await run([{ script: 'exit 194' }, { script: 'echo never' }]);

    expect(result).toMatchObject({ rebootRequested: true, responseCode: 194, stdout: '' });
    expect(result.steps).toHaveLength(1);
  });

  it('ends only when no child holds its output any more', async () => {
    const started = Date.now();
    await run('sleep 1 &\nexit 0');
    const held = Date.now() - started;
    await run('sleep 5 >/dev/null 2>&1 &\nexit 0');

    expect(held).toBeGreaterThanOrEqual(950);
    expect(Date.now() - started - held).toBeLessThan(2000);
  });

  it('can be cancelled', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 200);
    const result = await runDocument({
      content: document([{ script: 'sleep 60' }, { script: 'echo never' }]),
      parameters: {},
      signal: stop.signal,
    });

    expect(result).toMatchObject({ status: 'Cancelled', stdout: '' });
    expect(result.steps).toHaveLength(1);
  });

  it('does not begin when it is cancelled before', async () => {
    const never = join(folder, 'never');
    const content = document([{ script: `touch ${never}` }]);
    const result = await runDocument({ content, parameters: {}, signal: AbortSignal.abort() });

    expect(result).toMatchObject({ status: 'Cancelled', stdout: '' });
    expect(existsSync(never)).toBe(false);
  });

  it('gets a minimal environment', async () => {
    process.env.CGROUP_MEDIC_TEST_SECRET = 'do-not-pass';
    const { stdout } = await run('env');
    delete process.env.CGROUP_MEDIC_TEST_SECRET;

    expect(stdout).toContain('HOME=/root');
    expect(stdout).not.toContain('do-not-pass');
  });
});

describe('several steps', () => {
  it('go on after a failed one', async () => {
    const result = await run([{ script: 'exit 5' }, { script: 'echo second' }]);

    expect(result).toMatchObject({ status: 'Failed', responseCode: 5, stdout: 'second\n' });
    expect(result.steps.map(({ status }) => status)).toEqual(['Failed', 'Success']);
  });

  it('stop after a failed one that says so', async () => {
    const result = await run([{ script: 'exit 5', onFailure: 'exit' }, { script: 'echo second' }]);

    expect(result).toMatchObject({ status: 'Failed', stdout: '' });
  });
});

describe('parameters', () => {
  const rule = { interpolationType: 'ENV_VAR' };

  it('arrive as SSM_ variables, never as text', async () => {
    const value = '$(echo run); "quoted"\n';
    const { stdout } = await run('printf %s "$SSM_name"; echo "{{ name }}"', { name: value }, { name: rule });

    expect(stdout).toBe(`${value}{{ name }}\n`);
  });

  it('are pasted as text, and run, without ENV_VAR', async () => {
    const { stdout } = await run('echo {{ name }}', { name: 'a; echo injected' }, { name: {} });

    expect(stdout).toBe('a\ninjected\n');
  });

  it('are refused when unknown, absent, not in the list, not of the pattern or too long', async () => {
    const rules = { kind: { allowedValues: ['a', 'b'] }, name: { allowedPattern: '[a-z]+', maxChars: 3 } };
    const refused = (parameters: Record<string, string>) => expect(run('true', parameters, rules)).rejects;

    await refused({ kind: 'a', name: 'x', other: '1' }).toThrow(
      'parameter "other" is not one of the document\'s: it takes kind, name',
    );
    await refused({ kind: 'a' }).toThrow('parameter "name" is required');
    await refused({ kind: 'c', name: 'x' }).toThrow('parameter "kind" is "c": use one of a, b');
    await refused({ kind: 'a', name: 'x\n' }).toThrow('parameter "name" is "x\\n": it must match [a-z]+');
    await refused({ kind: 'a', name: 'abcd' }).toThrow('parameter "name" has 4 characters: at most 3');
    await refused({ kind: 'a', name: 'x', toString: 'y' }).toThrow('parameter "toString" is not one');
    await expect(run('true', {}, { toString: {} })).rejects.toThrow('parameter "toString" is required');
    await expect(run('true', { free: 'a\0b' }, { free: rule })).rejects.toThrow('contains a NUL character');
  });

  it('have defaults', async () => {
    expect((await run('echo "$SSM_name"', {}, { name: { ...rule, default: 'dflt' } })).stdout).toBe('dflt\n');
  });
});
