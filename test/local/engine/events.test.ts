import { describe, expect, it } from 'vitest';
import {
  deliver,
  executionStatusChange,
  matches,
  UnsupportedPatternError,
} from '../../../local/engine/events.ts';
import type { Json, JsonObject } from '../../../local/engine/json.ts';
import type { ExecutionResult } from '../../../local/engine/run-state-machine.ts';
import type { TemplateRule } from '../../../local/engine/template.ts';

const result: ExecutionResult = {
  status: 'ABORTED',
  executionArn: 'arn:aws:states:us-east-1:000000000000:execution:M:one',
  startedAt: new Date('2026-11-21T06:00:00.500Z'),
  stoppedAt: new Date('2026-11-21T06:01:00.250Z'),
  history: [],
};
const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:M';
const event = executionStatusChange(result, { stateMachineArn, name: 'one', input: { a: 1 } });

const pattern: JsonObject = {
  source: ['aws.states'],
  'detail-type': ['Step Functions Execution Status Change'],
  detail: { status: ['ABORTED', 'TIMED_OUT', 'FAILED'], stateMachineArn: [stateMachineArn] },
};

const rule: TemplateRule = {
  logicalId: 'R',
  name: 'rule',
  arn: 'arn:rule',
  enabled: true,
  pattern,
  targets: ['arn:janitor'],
};

describe('executionStatusChange', () => {
  it('is the event that AWS sends', () => {
    expect(event).toMatchObject({
      version: '0',
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      time: '2026-11-21T06:01:00Z',
      resources: [result.executionArn],
      detail: {
        executionArn: result.executionArn,
        stateMachineArn,
        name: 'one',
        status: 'ABORTED',
        startDate: Date.parse('2026-11-21T06:00:00.500Z'),
        stopDate: Date.parse('2026-11-21T06:01:00.250Z'),
        input: '{"a":1}',
        output: null,
        error: null,
      },
    });
  });
});

describe('matches', () => {
  it.each<[string, JsonObject, boolean]>([
    ['the pattern of the janitor', pattern, true],
    ['another status', { detail: { status: ['SUCCEEDED'] } }, false],
    ['another machine', { detail: { stateMachineArn: ['other'] } }, false],
    ['a field that is not there', { nothing: ['x'] }, false],
    ['a list in the event, by any of its values', { resources: [result.executionArn] }, true],
  ])('%s', (_, given, expected) => {
    expect(matches(given, event)).toBe(expected);
  });

  it('knows how a value may begin', () => {
    expect(matches({ source: [{ prefix: 'aws.' }] }, event)).toBe(true);
    expect(matches({ source: [{ prefix: 'ws.' }, 'aws.ec2'] }, event)).toBe(false);
    expect(matches({ nothing: [{ prefix: '' }] }, event)).toBe(false);
  });

  it.each([[{ suffix: 's' }], [{ prefix: 1 }], [{ prefix: 'a', suffix: 's' }], [['aws.states']]])(
    'names a comparison that it does not know: %j',
    (comparison) => {
      expect(() => matches({ source: [comparison] }, event)).toThrow(UnsupportedPatternError);
    },
  );
});

describe('deliver', () => {
  it('invokes the targets of the rules that match, and of no other', async () => {
    const calls: [string, Json][] = [];
    const others = [
      { ...rule, name: 'off', enabled: false },
      { ...rule, name: 'else', pattern: { source: ['aws.ec2'] } },
    ];
    const deliveries = await deliver(event, {
      rules: [rule, ...others],
      invoke: async (target, given) => {
        calls.push([target, given]);
        return null;
      },
    });
    expect(calls).toEqual([['arn:janitor', event]]);
    expect(deliveries).toEqual([{ rule: 'rule', target: 'arn:janitor', tries: 1 }]);
  });

  it('tries a target that fails twice more, and reports what then stands', async () => {
    let tries = 0;
    const failing = (succeedAt: number) =>
      deliver(event, {
        rules: [rule],
        retryWaitsMs: [1, 1],
        invoke: async () => {
          tries += 1;
          if (tries < succeedAt) throw new Error('not yet');
          return null;
        },
      });
    expect(await failing(3)).toEqual([{ rule: 'rule', target: 'arn:janitor', tries: 3 }]);
    tries = 0;
    expect(await failing(99)).toMatchObject([{ tries: 3, error: new Error('not yet') }]);
  });
});
