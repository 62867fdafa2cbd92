import { describe, expect, it, vi } from 'vitest';
import { UnsupportedDefinitionError } from '../../../local/engine/check-definition.ts';
import type { Json, JsonObject } from '../../../local/engine/json.ts';
import { type ExecutionProps, runStateMachine } from '../../../local/engine/run-state-machine.ts';
import { TaskError } from '../../../local/engine/task-error.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:work';

function machine(states: JsonObject, rest: JsonObject = {}): JsonObject {
  return { StartAt: Object.keys(states)[0] ?? '', States: states, ...rest };
}

function task(rest: JsonObject = {}): JsonObject {
  return { Type: 'Task', Resource: arn, TimeoutSeconds: 5, End: true, ...rest };
}

function waiting(rest: JsonObject = {}): JsonObject {
  return task({
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Parameters: { FunctionName: arn, Payload: { 'token.$': '$$.Task.Token' } },
    ...rest,
  });
}

function execute(definition: JsonObject, props: Partial<ExecutionProps> = {}) {
  return runStateMachine({
    definition,
    name: 'one',
    input: {},
    invokeFunction: async (_, payload) => payload,
    waitForToken: () => Promise.reject(new Error('not expected')),
    ...props,
  });
}

describe('runStateMachine', () => {
  it('gives the state to the function and goes on with what it returns', async () => {
    // Prepare
    const calls: [string, Json][] = [];
    const definition = machine({ A: task({ Next: 'B', End: undefined as never }), B: { Type: 'Succeed' } });
    delete (definition.States as Record<string, JsonObject>).A?.End;

    // Act
    const result = await execute(definition, {
      input: { n: 1 },
      invokeFunction: async (name, payload) => {
        calls.push([name, payload]);
        return { n: 2 };
      },
    });

    // Assess
    expect(calls).toEqual([[arn, { n: 1 }]]);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { n: 2 } });
    expect(result.executionArn).toBe('arn:aws:states:us-east-1:000000000000:execution:local:one');
    const entered = result.history.filter(({ type }) => type === 'StateEntered').map(({ state }) => state);
    expect(entered).toEqual(['A', 'B']);
  });

  it('leaves the definition as it was', async () => {
    const definition = machine({ A: task() });
    const before = structuredClone(definition);
    await execute(definition);
    expect(definition).toEqual(before);
  });

  it('passes the context object', async () => {
    const Parameters = {
      'id.$': '$$.Execution.Id',
      'name.$': '$$.Execution.Name',
      'at.$': '$$.Execution.StartTime',
      'machine.$': '$$.StateMachine.Name',
    };
    const result = await execute(machine({ A: task({ Parameters }) }));
    expect(result.output).toEqual({
      id: 'arn:aws:states:us-east-1:000000000000:execution:local:one',
      name: 'one',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      machine: 'local',
    });
  });

  it('catches an error of a function under its name, with its cause', async () => {
    const Catch = [{ ErrorEquals: ['NoSuchNode'], ResultPath: '$.error', Next: 'B' }];
    const result = await execute(machine({ A: task({ Catch }), B: { Type: 'Succeed' } }), {
      invokeFunction: async () => {
        throw new TaskError('NoSuchNode', '{"errorMessage":"gone"}');
      },
    });
    expect(result.output).toEqual({ error: { Error: 'NoSuchNode', Cause: '{"errorMessage":"gone"}' } });
  });

  it('fails with the error that nothing caught', async () => {
    const result = await execute(machine({ A: task() }), {
      invokeFunction: async () => {
        throw new TaskError('Boom', 'the cause');
      },
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'Boom', cause: 'the cause' });
  });

  it('times a task out, and nobody waits for its token after that', async () => {
    // Prepare
    let closed = false;
    const Catch = [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.error', Next: 'B' }];
    const definition = machine({
      A: waiting({ TimeoutSeconds: 1, Catch }),
      B: { Type: 'Wait', Seconds: 1, End: true },
    });

    // Act
    const run = execute(definition, {
      invokeFunction: async () => null,
      waitForToken: (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            closed = true;
            reject(new Error('closed'));
          });
        }),
      onEvent: ({ type, state }) => {
        // Assess
        if (type === 'StateExited' && state?.name === 'B') expect(closed).toBe(true);
      },
    });
    expect((await run).output).toMatchObject({ error: { Error: 'States.Timeout' } });
    expect(closed).toBe(true);
  });

  it('times the whole execution out', async () => {
    const definition = machine({ A: { Type: 'Wait', Seconds: 30, End: true } }, { TimeoutSeconds: 1 });
    const result = await execute(definition);
    expect(result.status).toBe('TIMED_OUT');
    expect(result.history.at(-1)?.type).toBe('ExecutionTimedOut');
  });

  describe('task tokens', () => {
    it('hands the same token to the function and to the wait, and a fresh one to the next task', async () => {
      // Prepare
      const given: Json[] = [];
      const awaited: string[] = [];
      const first = waiting({ Next: 'B' });
      delete first.End;

      // Act
      const result = await execute(machine({ A: first, B: waiting() }), {
        invokeFunction: async (_, payload) => {
          given.push((payload as JsonObject).token ?? null);
          return null;
        },
        waitForToken: async (token) => {
          awaited.push(token);
          return { answer: awaited.length };
        },
      });

      // Assess
      expect(given).toEqual(awaited);
      expect(new Set(awaited).size).toBe(2);
      expect(result.output).toEqual({ answer: 2 });
    });

    it('closes the token of a try that timed out before the next try', async () => {
      const tries: AbortSignal[] = [];
      const Retry = [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 1 }];
      const result = await execute(machine({ A: waiting({ TimeoutSeconds: 1, Retry }) }), {
        invokeFunction: async () => null,
        waitForToken: async (_, signal) => {
          tries.push(signal);
          return tries.length === 1
            ? new Promise<never>(() => {})
            : { firstIsClosed: tries[0]?.aborted ?? null };
        },
      });
      expect(result.output).toEqual({ firstIsClosed: true });
    });

    it('fails the task when the function that asks fails', async () => {
      const result = await execute(machine({ A: waiting() }), {
        invokeFunction: async () => {
          throw new TaskError('NoTopic', 'cannot publish');
        },
        waitForToken: () => new Promise(() => {}),
      });
      expect(result).toMatchObject({ status: 'FAILED', error: 'NoTopic' });
    });
  });

  describe('stopped from outside', () => {
    it('starts no further state, not even a retry or a catch, though the running function finishes', async () => {
      // Prepare
      const stop = new AbortController();
      let calls = 0;
      let finished: () => void = () => {};
      const done = new Promise<void>((resolve) => {
        finished = resolve;
      });
      const Retry = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 1, MaxAttempts: 3 }];
      const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];

      // Act
      const result = await execute(machine({ A: task({ Retry, Catch }), B: task() }), {
        signal: stop.signal,
        invokeFunction: async () => {
          calls += 1;
          stop.abort();
          await new Promise((resolve) => setTimeout(resolve, 50));
          finished();
          throw new TaskError('Late', 'after the stop');
        },
      });

      // Assess
      expect(result.status).toBe('ABORTED');
      await done;
      await new Promise((resolve) => setTimeout(resolve, 1200));
      expect(calls).toBe(1);
      expect(result.history.map(({ type }) => type)).toEqual([
        'ExecutionStarted',
        'StateEntered',
        'ExecutionAborted',
      ]);
    });

    it('leaves no timer behind that would keep the process alive', async () => {
      // Prepare
      const set = vi.spyOn(globalThis, 'setTimeout');
      const cleared = vi.spyOn(globalThis, 'clearTimeout');

      // Act
      const result = await execute(machine({ A: waiting({ TimeoutSeconds: 300 }) }), {
        signal: AbortSignal.timeout(50),
        invokeFunction: async () => null,
        waitForToken: () => new Promise(() => {}),
      });
      await new Promise((resolve) => setImmediate(resolve));

      // Assess
      expect(result.status).toBe('ABORTED');
      const timer = set.mock.results[set.mock.calls.findIndex(([, ms]) => ms === 300_000)]?.value;
      expect(timer).toBeDefined();
      expect(cleared.mock.calls.map(([given]) => given)).toContain(timer);
      vi.restoreAllMocks();
    });

    it('ends a wait at once', async () => {
      const result = await execute(machine({ A: { Type: 'Wait', Seconds: 30, Next: 'B' }, B: task() }), {
        signal: AbortSignal.timeout(50),
      });
      expect(result.status).toBe('ABORTED');
      expect(result.stoppedAt.getTime() - result.startedAt.getTime()).toBeLessThan(5000);
    });
  });

  it('ends the execution, past every Catch, when a result is larger than Step Functions takes', async () => {
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];
    const result = await execute(machine({ A: task({ Catch }), B: { Type: 'Succeed' } }), {
      invokeFunction: async () => 'x'.repeat(256 * 1024),
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it.each([
    ['JSONata', machine({ A: task() }, { QueryLanguage: 'JSONata' }), /query language is JSONata/],
    ['JSONata fields', machine({ A: task({ Assign: {} }) }), /state "A": Assign: JSONata/],
    ['other integrations', machine({ A: task({ Resource: 'arn:aws:states:::sns:publish' }) }), /sns:publish/],
    ['Map states', machine({ A: { Type: 'Map', End: true } }), /a Map state/],
    ['a task without a timeout', machine({ A: { Type: 'Task', Resource: arn, End: true } }), /no timeout/],
    ['heartbeats', machine({ A: task({ HeartbeatSeconds: 5 }) }), /heartbeats/],
    [
      'unknown context',
      machine({ A: task({ Parameters: { 'x.$': '$$.State.Name' } }) }),
      /\$\$\.State\.Name/,
    ],
  ])('refuses %s', async (_, definition, message) => {
    await expect(execute(definition)).rejects.toThrow(UnsupportedDefinitionError);
    await expect(execute(definition)).rejects.toThrow(message);
  });
});
