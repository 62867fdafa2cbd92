import aslValidator from 'asl-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../local/engine/json.ts';
import { nextStatesOf, reachableFrom, statesOf, statesOfType } from './state-graph.ts';
import { definitionOf, synthesize } from './template.ts';

let definition: JsonObject;
beforeAll(() => {
  definition = definitionOf(synthesize());
});

const ends = ['Cured', 'Relieved', 'Unresolved', 'Observed', 'Refused', 'Denied', 'Expired', 'Void'];
const failures = ['Failed', 'OpenFailed', 'CloseFailed'];

describe('the state machine', () => {
  it('is valid Amazon States Language', () => {
    // The validator writes to what it is given.
    const result = aslValidator(structuredClone(definition), { checkArn: true, checkPaths: true });
    expect(result.errorsText('\n')).toBe('');
    expect(result.isValid).toBe(true);
  });

  it('uses JSONPath only: no field of JSONata appears in it', () => {
    const jsonata = ['QueryLanguage', 'Arguments', 'Output', 'Assign'];
    const found = [definition, ...statesOf(definition).values()].flatMap((state) =>
      jsonata.filter((field) => field in state),
    );
    expect(found).toEqual([]);
    expect(JSON.stringify(definition)).not.toContain('{%');
  });

  it('outlives three approvals that nobody answers, and twice the longest wait at its gates, by three hours', () => {
    const rest = 3 * 2 * 60 * 60 + 3 * 60 * 60;
    // Pauses, the budget and a minute; a cohort that gathers, its decision, and its waves.
    const wait = 46 + 1 + 120 + 360;
    expect(definition.TimeoutSeconds).toBe(rest + 2 * wait * 60);
    const open = [{ days: ['SAT'], start: '22:00', end: '06:00', timeZone: 'UTC' }];
    const waiting = synthesize({ clusters: { a: {}, b: { gates: { windows: { open, waitMinutes: 90 } } } } });
    expect(definitionOf(waiting).TimeoutSeconds).toBe(rest + 2 * (wait + 90) * 60);
    const replacement = { enabled: true, drainMinutes: 100, arriveMinutes: 110 };
    const replacing = synthesize({ clusters: { a: { api: { access: 'public' }, replacement } } });
    expect(definitionOf(replacing).TimeoutSeconds).toBe(rest + 2 * wait * 60 + 225 * 60);
  });

  it('has one state for every ordinary outcome, and failure states for what is broken', () => {
    expect(statesOfType(definition, 'Succeed').sort()).toEqual([...ends].sort());
    expect(statesOfType(definition, 'Fail').sort()).toEqual([...failures].sort());
  });

  it('reaches every state from its start', () => {
    const reached = reachableFrom(definition, String(definition.StartAt));
    expect([...reached].sort()).toEqual([...statesOf(definition).keys()].sort());
  });

  it('reaches an end from every state', () => {
    for (const name of statesOf(definition).keys()) {
      const reached = [...reachableFrom(definition, name)];
      expect(
        reached.some((state) => [...ends, ...failures].includes(state)),
        `${name} leads to an end`,
      ).toBe(true);
    }
  });

  it('closes the incident on every way to an ordinary end', () => {
    const intoEnds = [...statesOf(definition)].filter(([, state]) =>
      nextStatesOf(state).some((next) => ends.includes(next) || next === 'Failed'),
    );
    expect(intoEnds.map(([name]) => name)).toEqual(['Outcome?']);
    const intoOutcome = [...statesOf(definition)].filter(([, state]) =>
      nextStatesOf(state).includes('Outcome?'),
    );
    expect(intoOutcome.map(([name]) => name)).toEqual(['Close']);
  });

  it('has a default in every choice', () => {
    const without = statesOfType(definition, 'Choice').filter(
      (name) => typeof statesOf(definition).get(name)?.Default !== 'string',
    );
    expect(without).toEqual([]);
  });
});

describe('every task', () => {
  const tasks = () =>
    statesOfType(definition, 'Task').map((name) => [name, statesOf(definition).get(name) ?? {}] as const);

  it('has a timeout', () => {
    const longer: Record<string, number> = {
      Close: 130,
      HoldNode: 130,
      SettleNode: 130,
      ReplaceStep: 70,
      SendUndo: 130,
    };
    for (const [name, { TimeoutSeconds, TimeoutSecondsPath }] of tasks()) {
      if (name === 'RequestApproval') expect(TimeoutSecondsPath).toBe('$.approval.timeoutSeconds');
      else expect(TimeoutSeconds, name).toBe(longer[name] ?? 40);
    }
  });

  it('is retried for errors of the Lambda service, spread by jitter, and for nothing else outside the undo and a crowd at the opening', () => {
    const undo = ['SendUndo', 'PollUndo', 'RecordUndo'];
    for (const [name, { Retry }] of tasks()) {
      expect(Retry, name).toEqual([
        {
          ErrorEquals: [
            'Lambda.ClientExecutionTimeoutException',
            'Lambda.ServiceException',
            'Lambda.AWSLambdaException',
            'Lambda.SdkClientException',
            'Lambda.TooManyRequestsException',
          ],
          IntervalSeconds: 2,
          MaxAttempts: 6,
          BackoffRate: 2,
          MaxDelaySeconds: 30,
          JitterStrategy: 'FULL',
        },
        // Incidents that open all at once wait for their places in the chain of their cluster.
        ...(name === 'Open'
          ? [
              {
                ErrorEquals: ['OpeningsBusyError'],
                IntervalSeconds: 2,
                MaxAttempts: 6,
                BackoffRate: 2,
                MaxDelaySeconds: 30,
                JitterStrategy: 'FULL',
              },
            ]
          : []),
        ...(undo.includes(name)
          ? [
              {
                ErrorEquals: ['States.TaskFailed'],
                IntervalSeconds: 5,
                MaxAttempts: 2,
                BackoffRate: 3,
                JitterStrategy: 'FULL',
              },
            ]
          : []),
      ]);
    }
  });

  it('sends every error to undo, except where undo itself, opening or closing is broken, or only a look around', () => {
    const exceptions: Record<string, object> = {
      Open: { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'OpenFailed' },
      Close: { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'CloseFailed' },
      SendUndo: { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Close' },
      PollUndo: { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Close' },
      RecordUndo: { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Close' },
      RequestApproval: {
        ErrorEquals: ['States.ALL'],
        ResultPath: '$.approval.interruption',
        Next: 'SettleApproval',
      },
      // What is known around the node can never end an incident.
      ExamineAround: { ErrorEquals: ['States.ALL'], ResultPath: '$.aroundError', Next: 'Diagnose' },
      RecheckAround: { ErrorEquals: ['States.ALL'], ResultPath: '$.aroundError', Next: 'Recheck' },
    };
    const usual = { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'SendUndo' };
    for (const [name, { Catch }] of tasks()) expect(Catch, name).toEqual([exceptions[name] ?? usual]);
  });

  it('takes the whole incident and returns it, except where it opens one or waits for a person', () => {
    const special = ['Open', 'RequestApproval'];
    for (const [name, task] of tasks()) {
      const shaped = ['InputPath', 'OutputPath', 'Parameters', 'ResultPath', 'ResultSelector'].filter(
        (field) => field in task,
      );
      if (!special.includes(name)) expect(shaped, name).toEqual([]);
    }
    expect(statesOf(definition).get('Open')?.Parameters).toEqual({
      'alarm.$': '$',
      execution: {
        'id.$': '$$.Execution.Id',
        'name.$': '$$.Execution.Name',
        'startedAt.$': '$$.Execution.StartTime',
      },
    });
    expect(statesOf(definition).get('RequestApproval')).toMatchObject({
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: {
        FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:CgroupMedic-request-approval',
        Payload: { 'state.$': '$', 'taskToken.$': '$$.Task.Token' },
      },
      ResultPath: null,
    });
  });
});
