import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Json, JsonObject } from '../../../local/engine/json.ts';
import { type ExecutionResult, runStateMachine } from '../../../local/engine/run-state-machine.ts';
import { TaskError } from '../../../local/engine/task-error.ts';
import { definitionOf, synthesize } from '../../cdk/template.ts';
import { featuresOf } from './asl-features.ts';

/**
 * Every feature of the Amazon States Language that the state machine uses, on a machine so small that the result
 * follows from the specification (https://states-language.net). What passes here behaves on one machine as in AWS.
 */
const lambda = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const waitForTaskToken = 'arn:aws:states:::lambda:invoke.waitForTaskToken';
const proven = new Set<string>();
afterEach(() => {
  vi.restoreAllMocks();
});

interface RunProps {
  readonly definition: JsonObject;
  readonly input?: Json;
  readonly name?: string;
  readonly call?: (payload: Json, calls: number) => Json | Promise<Json>;
  readonly token?: (token: string) => Promise<Json>;
  readonly patient?: boolean;
}
type Run = ExecutionResult & { payloads: Json[]; visited: string[]; seconds: number };

async function run({
  definition,
  input = {},
  name = 'run',
  call = () => ({}),
  token,
  patient = false,
}: RunProps): Promise<Run> {
  const payloads: Json[] = [];
  const start = performance.now();
  const result = await runStateMachine({
    definition,
    name,
    input,
    patient,
    async invokeFunction(_arn, payload) {
      payloads.push(structuredClone(payload));
      return call(payload, payloads.length);
    },
    waitForToken: token ?? (() => new Promise(() => {})),
  });
  const visited = result.history
    .filter(({ type }) => type === 'StateEntered')
    .map(({ state }) => state ?? '');
  return { ...result, payloads, visited, seconds: (performance.now() - start) / 1000 };
}

/** A machine of one task, `T`, which leads to `Done`, or after a caught error to `Caught`. */
function oneTask(task: JsonObject): JsonObject {
  const limit = 'TimeoutSecondsPath' in task ? {} : { TimeoutSeconds: 5 };
  return {
    StartAt: 'T',
    States: {
      T: { Type: 'Task', Resource: lambda, Next: 'Done', ...limit, ...task },
      Done: { Type: 'Succeed' },
      ...('Catch' in task ? { Caught: { Type: 'Succeed' } } : {}),
    },
  };
}

/** Declares what a test proves, and makes sure that its machine uses it at all. */
function proves(definition: JsonObject, features: readonly string[]): JsonObject {
  const used = featuresOf(definition);
  expect(features.filter((feature) => !used.has(feature))).toEqual([]);
  for (const feature of features) proven.add(feature);
  return definition;
}

const never = () => new Promise<Json>(() => {});
const catchAll = { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Caught' };

describe('a task', () => {
  it('gives its input to the function, and the result replaces it', async () => {
    const definition = proves(oneTask({}), ['Task', 'Task.Resource=a function', 'Succeed']);
    const { output, payloads } = await run({ definition, input: { a: 1 }, call: () => ({ b: 2 }) });
    expect(payloads).toEqual([{ a: 1 }]);
    expect(output).toEqual({ b: 2 });
  });

  it('builds its payload from Parameters: constants, the whole input, fields of it, objects within', async () => {
    const Parameters = { constant: 'c', 'all.$': '$', 'field.$': '$.a.b', inner: { 'all.$': '$' } };
    const definition = proves(oneTask({ Parameters }), [
      'Parameters: constant',
      'Parameters: $',
      'Parameters: path',
      'Parameters: nested object',
    ]);
    const { payloads } = await run({ definition, input: { a: { b: 7 } } });
    expect(payloads).toEqual([
      { constant: 'c', all: { a: { b: 7 } }, field: 7, inner: { all: { a: { b: 7 } } } },
    ]);
  });

  it('knows its execution from the context object', async () => {
    const Parameters = {
      'id.$': '$$.Execution.Id',
      'name.$': '$$.Execution.Name',
      'startedAt.$': '$$.Execution.StartTime',
    };
    const definition = proves(oneTask({ Parameters }), [
      'Parameters: $$.Execution.Id',
      'Parameters: $$.Execution.Name',
      'Parameters: $$.Execution.StartTime',
    ]);
    const { payloads, executionArn } = await run({ definition, name: 'incident-1' });
    expect(payloads).toEqual([
      {
        id: executionArn,
        name: 'incident-1',
        startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ]);
    expect(executionArn).toMatch(/:execution:.+:incident-1$/);
  });

  it('passes its whole input on when ResultPath is null', async () => {
    const definition = proves(oneTask({ Parameters: { 'b.$': '$.a' }, ResultPath: null }), [
      'Task.ResultPath=null',
    ]);
    const { output } = await run({ definition, input: { a: 1 }, call: () => ({ c: 3 }) });
    expect(output).toEqual({ a: 1 });
  });

  it('ends with States.Timeout after TimeoutSeconds', async () => {
    const definition = proves(oneTask({ TimeoutSeconds: 1, Catch: [catchAll] }), ['Task.TimeoutSeconds']);
    const { output, visited } = await run({ definition, call: never });
    expect(visited).toEqual(['T', 'Caught']);
    expect(output).toMatchObject({ error: { Error: 'States.Timeout' } });
  });

  it('waits longer for a function where it has to wait for its turn on a busy machine, and not for a person', async () => {
    const late = () => new Promise<Json>((resolve) => setTimeout(() => resolve({}), 1300));
    const slow = await run({ definition: oneTask({ TimeoutSeconds: 1 }), call: late, patient: true });
    expect(slow.visited).toEqual(['T', 'Done']);
    const definition = oneTask({ TimeoutSecondsPath: '$.limit.seconds', Catch: [catchAll] });
    const asked = await run({ definition, input: { limit: { seconds: 1 } }, call: never, patient: true });
    expect(asked.visited).toEqual(['T', 'Caught']);
  });

  it('ends with States.Timeout after the seconds that TimeoutSecondsPath finds in the input', async () => {
    const definition = proves(oneTask({ TimeoutSecondsPath: '$.limit.seconds', Catch: [catchAll] }), [
      'Task.TimeoutSecondsPath',
    ]);
    const { output, seconds } = await run({ definition, input: { limit: { seconds: 1 } }, call: never });
    expect(output).toMatchObject({ error: { Error: 'States.Timeout' } });
    expect(seconds).toBeLessThan(20);
  });

  it('looks TimeoutSecondsPath up in the input of the state, not in what Parameters made of it', async () => {
    // The interpreter alone looks where Parameters left off; the function around it has to make up for that.
    const task = { Parameters: { x: 1 }, TimeoutSecondsPath: '$.limit.seconds', Catch: [catchAll] };
    const definition = proves(oneTask(task), ['Task.TimeoutSecondsPath past Parameters']);
    const { output, payloads } = await run({ definition, input: { limit: { seconds: 1 } }, call: never });
    expect(output).toMatchObject({ error: { Error: 'States.Timeout' } });
    expect(payloads).toEqual([{ x: 1 }]);
  });
});

describe('a task that waits for its token', () => {
  const task = {
    Resource: waitForTaskToken,
    Parameters: { FunctionName: lambda, Payload: { 'token.$': '$$.Task.Token' } },
  };

  it('gives the token to the function, and its result is what is sent for the token', async () => {
    const definition = proves(oneTask(task), [
      `Task.Resource=${waitForTaskToken}`,
      'Parameters: $$.Task.Token',
    ]);
    const tokens: string[] = [];
    const { output, payloads } = await run({
      definition,
      call: () => ({ from: 'the function' }),
      token: async (token) => {
        tokens.push(token);
        return { from: 'the token' };
      },
    });
    expect(output).toEqual({ from: 'the token' });
    expect(payloads).toEqual([{ token: tokens[0] }]);
    expect(tokens[0]).toMatch(/.{20}/);
  });

  it('fails when the function fails, without waiting for the token', async () => {
    const { output, visited } = await run({
      definition: oneTask({ ...task, Catch: [catchAll] }),
      call: () => {
        throw new TaskError('Broken', 'no topic');
      },
    });
    expect(visited).toEqual(['T', 'Caught']);
    expect(output).toMatchObject({ error: { Error: 'Broken' } });
  });

  it('ends with States.Timeout when nobody sends the token', async () => {
    const { output } = await run({ definition: oneTask({ ...task, TimeoutSeconds: 1, Catch: [catchAll] }) });
    expect(output).toMatchObject({ error: { Error: 'States.Timeout' } });
  });
});

describe('Catch', () => {
  const fail = (name: string) => () => {
    throw new TaskError(name, 'the cause');
  };

  it('with States.ALL takes every error of a task and puts it beside the input', async () => {
    const definition = proves(oneTask({ Catch: [catchAll] }), [
      'Catch.ErrorEquals=States.ALL',
      'Catch.ResultPath=a field',
    ]);
    const { output, visited } = await run({ definition, input: { a: 1 }, call: fail('Own') });
    expect(visited).toEqual(['T', 'Caught']);
    expect(output).toEqual({ a: 1, error: { Error: 'Own', Cause: expect.stringContaining('the cause') } });
  });

  it('puts it into a nested field and leaves what stands there', async () => {
    const definition = proves(oneTask({ Catch: [{ ...catchAll, ResultPath: '$.a.b' }] }), [
      'Catch.ResultPath=a nested field',
    ]);
    const { output } = await run({ definition, input: { a: { c: 1 } }, call: fail('Own') });
    expect(output).toEqual({ a: { c: 1, b: { Error: 'Own', Cause: expect.any(String) } } });
  });

  it('uses the input of the state and not what Parameters made of it', async () => {
    const { output } = await run({
      definition: oneTask({ Parameters: { x: 1 }, Catch: [catchAll] }),
      input: { a: 1 },
      call: fail('Own'),
    });
    expect(output).toMatchObject({ a: 1, error: { Error: 'Own' } });
  });

  it('is not there: the execution fails with the error', async () => {
    const { status, error } = await run({ definition: oneTask({}), call: fail('Own') });
    expect(status).toBe('FAILED');
    expect(error).toBe('Own');
  });
});

function busy(): never {
  throw new TaskError('Busy', 'try again');
}

// Most of the time of these is waiting, which they can do side by side.
describe.concurrent('Retry', () => {
  it('repeats a task for any of the named errors, as often as MaxAttempts says, then Catch has it', async () => {
    const Retry = [{ ErrorEquals: ['Other', 'Busy'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }];
    const definition = proves(oneTask({ Retry, Catch: [catchAll] }), [
      'Retry.ErrorEquals=several names',
      'Retry.MaxAttempts',
      'Retry.IntervalSeconds',
    ]);
    const { payloads, output, seconds } = await run({ definition, input: { a: 1 }, call: busy });
    expect(payloads).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
    expect(output).toMatchObject({ a: 1, error: { Error: 'Busy' } });
    expect(seconds).toBeGreaterThan(1.9);
  });

  it('repeats a task for any error when it names States.TaskFailed alone, but not for a time-out', async () => {
    const Retry = [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 1, MaxAttempts: 1 }];
    const definition = proves(oneTask({ Retry, Catch: [catchAll] }), ['Retry.ErrorEquals=one name']);
    const failed = await run({ definition, call: (_, calls) => (calls === 1 ? busy() : { ok: true }) });
    expect(failed.output).toEqual({ ok: true });
    const timedOut = await run({
      definition: oneTask({ Retry, TimeoutSeconds: 1, Catch: [catchAll] }),
      call: () => new Promise(() => {}),
    });
    expect(timedOut.payloads.length).toBe(1);
    expect(timedOut.output).toMatchObject({ error: { Error: 'States.Timeout' } });
  });

  it('forgets the error when a repetition succeeds', async () => {
    const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 1 }];
    const { output } = await run({
      definition: oneTask({ Retry, Catch: [catchAll] }),
      call: (_, calls) => (calls === 1 ? busy() : { ok: true }),
    });
    expect(output).toEqual({ ok: true });
  });

  it('leaves other errors to Catch at once', async () => {
    const Retry = [{ ErrorEquals: ['Other'], MaxAttempts: 5 }];
    const { payloads } = await run({ definition: oneTask({ Retry, Catch: [catchAll] }), call: busy });
    expect(payloads.length).toBe(1);
  });

  it('waits longer each time by BackoffRate', async () => {
    const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 }];
    const definition = proves(oneTask({ Retry, Catch: [catchAll] }), ['Retry.BackoffRate']);
    const { seconds } = await run({ definition, call: busy });
    expect(seconds).toBeGreaterThan(2.9);
  });

  it('never waits longer than MaxDelaySeconds', async () => {
    const Retry = [
      { ErrorEquals: ['Busy'], IntervalSeconds: 1, BackoffRate: 10, MaxDelaySeconds: 2, MaxAttempts: 2 },
    ];
    const definition = proves(oneTask({ Retry, Catch: [catchAll] }), ['Retry.MaxDelaySeconds']);
    const { seconds } = await run({ definition, call: busy });
    expect(seconds).toBeGreaterThan(2.9);
    expect(seconds).toBeLessThan(9);
  });
});

describe('Retry with jitter', () => {
  it.each([
    { random: 0, atLeast: 0, below: 4 },
    { random: 0.2, atLeast: 0.95, below: 4.5 },
  ])('with full jitter waits any part of the delay: $random of it', async ({ random, atLeast, below }) => {
    const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 5, MaxAttempts: 1, JitterStrategy: 'FULL' }];
    const definition = proves(oneTask({ Retry, Catch: [catchAll] }), ['Retry.JitterStrategy=FULL']);
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const { seconds, payloads } = await run({ definition, call: busy });
    expect(payloads.length).toBe(2);
    expect(seconds).toBeGreaterThanOrEqual(atLeast);
    expect(seconds).toBeLessThan(below);
  });
});

describe('a choice', () => {
  const definition = {
    StartAt: 'C',
    States: {
      C: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.w.again', IsPresent: true },
              { Variable: '$.w.again', BooleanEquals: true },
            ],
            Next: 'Again',
          },
          { Variable: '$.error', IsPresent: true, Next: 'Present' },
          { Variable: '$.a.b', StringEquals: 'x', Next: 'First' },
          { Variable: '$.a.b', StringEquals: 'x', Next: 'Second' },
          { Variable: '$.a.b', StringEquals: 'y', Next: 'Third' },
        ],
        Default: 'Other',
      },
      Again: { Type: 'Succeed' },
      Present: { Type: 'Succeed' },
      First: { Type: 'Succeed' },
      Second: { Type: 'Succeed' },
      Third: { Type: 'Succeed' },
      Other: { Type: 'Succeed' },
    },
  };

  it.each([
    { input: { a: { b: 'x' } }, end: 'First', because: 'the first rule that matches wins' },
    { input: { a: { b: 'y' } }, end: 'Third', because: 'rules that do not match are passed over' },
    { input: { a: { b: 'X' } }, end: 'Other', because: 'texts are compared by letter case' },
    { input: { a: { b: 1 } }, end: 'Other', because: 'what is no text equals no text' },
    { input: { a: { b: 'x' }, error: { Error: 'E' } }, end: 'Present', because: 'the field is there' },
    { input: { a: { b: 'x' }, error: null }, end: 'Present', because: 'a field that is null is there' },
    { input: { a: { b: 'x' }, w: { again: true } }, end: 'Again', because: 'all of an And match' },
    { input: { a: { b: 'x' }, w: { again: false } }, end: 'First', because: 'not all of an And match' },
    { input: { a: { b: 'x' }, w: { again: 'true' } }, end: 'First', because: 'a text is no truth' },
    {
      input: { a: { b: 'x' }, w: {} },
      end: 'First',
      because: 'an And ends at the first that does not match',
    },
  ])('leads to $end: $because', async ({ input, end }) => {
    proves(definition, [
      'Choice',
      'Choice.Variable',
      'Choice.StringEquals',
      'Choice.IsPresent',
      'Choice.And',
      'Choice.BooleanEquals',
      'Choice.Default',
    ]);
    const { visited, output } = await run({ definition, input });
    expect(visited).toEqual(['C', end]);
    expect(output).toEqual(input);
  });

  it('fails the execution when it compares a field that is not there', async () => {
    const { status, error, visited } = await run({ definition, input: {} });
    expect(visited).toEqual(['C']);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Runtime' });
  });
});

describe('a wait', () => {
  const definition = {
    StartAt: 'W',
    States: { W: { Type: 'Wait', SecondsPath: '$.a.seconds', Next: 'Done' }, Done: { Type: 'Succeed' } },
  };

  it.each([0, 1])('of %d seconds, found by SecondsPath, passes its input on', async (wanted) => {
    proves(definition, ['Wait', 'Wait.SecondsPath']);
    const { output, seconds } = await run({ definition, input: { a: { seconds: wanted } } });
    expect(output).toEqual({ a: { seconds: wanted } });
    expect(seconds).toBeGreaterThanOrEqual(wanted - 0.05);
    expect(seconds).toBeLessThan(wanted + 5);
  });
});

describe('an execution', () => {
  it('fails in a Fail state, with its error and cause', async () => {
    const States = { F: { Type: 'Fail', Error: 'Own', Cause: 'a sentence' } };
    const definition = proves({ StartAt: 'F', States }, ['Fail', 'Fail.Error', 'Fail.Cause']);
    const { status, error, cause } = await run({ definition });
    expect({ status, error, cause }).toEqual({ status: 'FAILED', error: 'Own', cause: 'a sentence' });
  });

  it('is over after its TimeoutSeconds, and no Catch sees it', async () => {
    const definition = proves({ TimeoutSeconds: 1, ...oneTask({ TimeoutSeconds: 20, Catch: [catchAll] }) }, [
      'Machine.TimeoutSeconds',
    ]);
    const { status, visited } = await run({ definition, call: never });
    expect(status).toBe('TIMED_OUT');
    expect(visited).toEqual(['T']);
  });
});

describe('the state machine of the app', () => {
  it('uses only features that are proven above', () => {
    const used = featuresOf(definitionOf(synthesize()));
    expect([...used].filter((feature) => !proven.has(feature))).toEqual([]);
  });
});
