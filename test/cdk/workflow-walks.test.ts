import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../local/engine/json.ts';
import { type ExecutionResult, runStateMachine } from '../../local/engine/run-state-machine.ts';
import { TaskError } from '../../local/engine/task-error.ts';
import { statesOf, transitionsOf } from './state-graph.ts';
import { definitionOf, synthesize } from './template.ts';

let definition: JsonObject;
const walked = new Set<string>();
beforeAll(() => {
  definition = definitionOf(synthesize());
});

/**
 * What each function adds to the incident, call by call; after the last entry the last one is repeated.
 * The defaults are an incident that one reclaim cures.
 */
type Script = Record<string, readonly JsonObject[]>;
const cured: Script = {
  open: [{ lease: { status: 'ours' } }],
  'send-evidence': [{ command: { status: 'running', waitSeconds: 0 } }],
  'poll-command': [{ command: { status: 'succeeded', waitSeconds: 0 } }],
  'examine-around': [{}],
  diagnose: [{ diagnosis: { cause: 'dying-memcgs' } }],
  plan: [{ ladder: { status: 'rung' }, rung: { kind: 'document' } }],
  gate: [{ gate: { decision: 'pass', waitSeconds: 0 }, approval: { timeoutSeconds: 20 } }],
  'request-approval': [{}],
  'settle-approval': [{ approval: { decision: 'approved' } }],
  recheck: [{ recheck: { decision: 'pass' } }],
  'hold-node': [{ hold: { at: 'held' } }, { hold: { at: 'over' } }],
  'send-treatment': [{ command: { status: 'running', waitSeconds: 0 } }],
  'record-treatment': [{ treatment: { status: 'done' }, verification: { waitSeconds: 0 } }],
  'replace-step': [{ replacement: { at: 'over' } }],
  'begin-standing': [{ treatment: { status: 'done' }, outcome: 'cured' }],
  notify: [{}],
  verify: [{ verification: { verdict: 'cured', waitSeconds: 0 }, outcome: 'cured' }],
  'send-undo': [{ command: { status: 'not-needed', waitSeconds: 0 } }],
  'record-undo': [{ undo: { status: 'nothing' } }],
  'next-rung': [{ ladder: { status: 'exhausted' }, outcome: 'unresolved' }],
  close: [{}],
};

type WalkProps = {
  script?: Script;
  failing?: { call: number; times?: number; error: TaskError };
  token?: 'sent' | 'never';
};
type Walk = ExecutionResult & { visited: string[] };

/** Runs the deployed state machine with scripted functions. */
async function walk({ script = {}, failing, token = 'sent' }: WalkProps): Promise<Walk> {
  const calls = new Map<string, number>();
  let call = 0;
  const result = await runStateMachine({
    definition,
    name: 'walk',
    input: { source: 'by-hand', instanceId: 'i-0123456789abcdef0' },
    async invokeFunction(arn, payload) {
      call += 1;
      if (call > 100) throw new Error('this walk does not end');
      // A task that is retried fails as many calls in a row as it takes.
      if (failing !== undefined && call >= failing.call && call < failing.call + (failing.times ?? 1))
        throw failing.error;
      const name = arn.split(':CgroupMedic-')[1] ?? '';
      const entries = script[name] ?? cured[name] ?? [];
      const index = calls.get(name) ?? 0;
      calls.set(name, index + 1);
      const patch = entries[Math.min(index, entries.length - 1)];
      if (patch === undefined || !isJsonObject(payload)) throw new Error(`nothing scripted for "${name}"`);
      return structuredClone({ ...payload, ...patch });
    },
    waitForToken: () => (token === 'sent' ? Promise.resolve({}) : new Promise(() => {})),
  });
  const visited = result.history
    .filter(({ type }) => type === 'StateEntered')
    .map(({ state }) => state ?? '');
  visited.slice(1).forEach((state, index) => {
    walked.add(`${visited[index]} → ${state}`);
  });
  return { ...result, visited };
}

const opened = ['Open', 'LeaseTaken?'];
const ran = (purpose: string) => [
  `Send${purpose}`,
  `${purpose}Running?`,
  `WaitFor${purpose}`,
  `Poll${purpose}`,
  `${purpose}Running?`,
];
const examined = [...opened, ...ran('Examine'), 'ExamineAround'];
const planned = [...examined, 'Diagnose', 'Plan', 'AnythingToDo?'];
const atGate = [...planned, 'Gate', 'GateOpen?'];
const asked = [...atGate, 'RequestApproval', 'SettleApproval', 'Approved?'];
const rechecked = [...asked, ...ran('Recheck'), 'RecheckAround', 'Recheck', 'StillTrue?'];
const treating = [...atGate, 'TreatmentKind?'];
const treated = [...treating, ...ran('Treatment'), 'RecordTreatment', 'Treated?'];
const replaced = [...treating, 'ReplaceStep', 'ReplacementOver?', 'RecordTreatment', 'Treated?'];
const begun = [...treating, 'BeginStanding', 'Begun?'];
const verified = [...treated, 'WaitForSample', ...ran('Verify'), 'Verify', 'Verdict?'];
const undone = ['SendUndo', 'UndoRunning?', 'RecordUndo', 'Undone?'];
const nextRung = ['NextRung', 'RungLeft?'];
const closed = (end: string) => ['Close', 'Outcome?', end];

const ask = [{ gate: { decision: 'ask', waitSeconds: 0 }, approval: { timeoutSeconds: 20 } }];
const replacing = [{ ladder: { status: 'rung' }, rung: { kind: 'replace' } }];
const standing = { rung: { kind: 'standing' } };
const held = { ladder: { status: 'rung' }, rung: { kind: 'document', cordons: true } };
const rungLeft = { ladder: { status: 'rung' } };
const noneLeft = { ladder: { status: 'exhausted' }, outcome: 'unresolved' };

const walks: readonly { title: string; script: Script; token?: 'never'; visited: string[] }[] = [
  { title: 'a reclaim that cures', script: {}, visited: [...verified, ...closed('Cured')] },
  {
    title: 'a node that another incident works on',
    script: { open: [{ lease: { status: 'refused' }, outcome: 'refused' }] },
    visited: [...opened, ...closed('Refused')],
  },
  {
    title: 'a healthy node',
    script: { plan: [{ ladder: { status: 'empty' }, outcome: 'unresolved' }] },
    visited: [...planned, ...closed('Unresolved')],
  },
  {
    title: 'a command that was not even sent',
    script: {
      'send-evidence': [{ command: { status: 'refused', waitSeconds: 0 } }],
      plan: [{ ladder: { status: 'empty' }, outcome: 'unresolved' }],
    },
    visited: [
      ...opened,
      'SendExamine',
      'ExamineRunning?',
      'ExamineAround',
      'Diagnose',
      'Plan',
      'AnythingToDo?',
      ...closed('Unresolved'),
    ],
  },
  {
    title: 'a command that takes several looks',
    script: {
      'poll-command': [
        { command: { status: 'running', waitSeconds: 0 } },
        { command: { status: 'succeeded', waitSeconds: 0 } },
      ],
      plan: [{ ladder: { status: 'empty' }, outcome: 'unresolved' }],
    },
    visited: [
      ...[...opened, 'SendExamine', 'ExamineRunning?', 'WaitForExamine', 'PollExamine', 'ExamineRunning?'],
      ...[
        'WaitForExamine',
        'PollExamine',
        'ExamineRunning?',
        'ExamineAround',
        'Diagnose',
        'Plan',
        'AnythingToDo?',
      ],
      ...closed('Unresolved'),
    ],
  },
  {
    title: 'observe mode',
    script: { gate: [{ gate: { decision: 'observe', waitSeconds: 0 }, outcome: 'observed' }] },
    visited: [...atGate, ...closed('Observed')],
  },
  {
    title: 'a gate that refuses',
    script: { gate: [{ gate: { decision: 'refuse', waitSeconds: 0 }, outcome: 'refused' }] },
    visited: [...atGate, ...closed('Refused')],
  },
  {
    title: 'a gate that says wait, then pass',
    script: {
      gate: [{ gate: { decision: 'wait', waitSeconds: 0 } }, { gate: { decision: 'pass', waitSeconds: 0 } }],
    },
    visited: [
      ...atGate,
      'WaitAtGate',
      'Gate',
      'GateOpen?',
      ...verified.slice(atGate.length),
      ...closed('Cured'),
    ],
  },
  {
    title:
      'a gate that says wait, then pass, on a node of which little is known by then: it is looked at again',
    script: {
      gate: [
        { gate: { decision: 'wait', waitSeconds: 0 }, waiting: { lookAgain: false } },
        { gate: { decision: 'pass', waitSeconds: 0 }, waiting: { lookAgain: true } },
        { gate: { decision: 'pass', waitSeconds: 0 }, waiting: { lookAgain: false } },
      ],
    },
    visited: [
      ...atGate,
      'WaitAtGate',
      'Gate',
      'GateOpen?',
      ...verified.slice(opened.length),
      ...closed('Cured'),
    ],
  },
  {
    title: 'a rung that is skipped, and one after it',
    script: {
      gate: [{ gate: { decision: 'skip', waitSeconds: 0 } }, { gate: { decision: 'pass', waitSeconds: 0 } }],
      'next-rung': [rungLeft],
    },
    visited: [
      ...atGate,
      ...nextRung,
      'Gate',
      'GateOpen?',
      ...verified.slice(atGate.length),
      ...closed('Cured'),
    ],
  },
  {
    title: 'an approval',
    script: { gate: ask },
    visited: [...rechecked, ...verified.slice(atGate.length), ...closed('Cured')],
  },
  {
    title: 'a denial',
    script: { gate: ask, 'settle-approval': [{ approval: { decision: 'denied' }, outcome: 'denied' }] },
    visited: [...asked, ...closed('Denied')],
  },
  {
    title: 'an approval that nobody answers',
    script: {
      gate: [{ gate: { decision: 'ask', waitSeconds: 0 }, approval: { timeoutSeconds: 1 } }],
      'settle-approval': [{ approval: { decision: 'expired' }, outcome: 'expired' }],
    },
    token: 'never',
    visited: [...asked, ...closed('Expired')],
  },
  {
    title: 'an approval that is decided after people were reminded',
    script: {
      gate: ask,
      'settle-approval': [
        { approval: { decision: 'pending', timeoutSeconds: 20 } },
        { approval: { decision: 'denied' }, outcome: 'denied' },
      ],
    },
    visited: [...asked, ...asked.slice(-3), ...closed('Denied')],
  },
  {
    title: 'an approval of a node that has moved on, approved again',
    script: { gate: ask, recheck: [{ recheck: { decision: 'void' } }, { recheck: { decision: 'pass' } }] },
    visited: [
      ...rechecked,
      ...rechecked.slice(opened.length),
      ...verified.slice(atGate.length),
      ...closed('Cured'),
    ],
  },
  {
    title: 'an approval of what a gate lets nobody do yet',
    script: {
      gate: ask,
      recheck: [{ recheck: { decision: 'wait', waitSeconds: 1 } }, { recheck: { decision: 'pass' } }],
    },
    visited: [
      ...rechecked,
      'WaitAtRecheck',
      ...rechecked.slice(asked.length),
      ...verified.slice(atGate.length),
      ...closed('Cured'),
    ],
  },
  {
    title: 'an approval that is void for good',
    script: { gate: ask, recheck: [{ recheck: { decision: 'refuse' }, outcome: 'void' }] },
    visited: [...rechecked, ...closed('Void')],
  },
  {
    title: 'a rung that tells people',
    script: { plan: [{ ladder: { status: 'rung' }, rung: { kind: 'notify' } }], 'next-rung': [noneLeft] },
    visited: [...treating, 'Notify', ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'a rung of a kind that this machine does not know',
    script: { plan: [{ ladder: { status: 'rung' }, rung: { kind: 'surgery' }, outcome: 'refused' }] },
    visited: [...treating, ...closed('Refused')],
  },
  {
    title: 'a cured node, and then a question about its group',
    script: {
      verify: [{ verification: { verdict: 'cured', asksOn: true, waitSeconds: 0 } }],
      'next-rung': [{ ...rungLeft, ...standing }],
    },
    visited: [...verified, ...nextRung, ...begun.slice(planned.length), ...closed('Cured')],
  },
  {
    title: 'a standing treatment where the group has one already',
    script: {
      plan: [{ ...rungLeft, ...standing }],
      'begin-standing': [{ treatment: { status: 'refused' } }],
    },
    visited: [...begun, ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'a node that is replaced, in several acts: nothing more is sent to it',
    script: {
      plan: replacing,
      'replace-step': [
        { replacement: { at: 'drain', waitSeconds: 0 } },
        { replacement: { at: 'over', waitSeconds: 0 } },
      ],
      'record-treatment': [{ treatment: { status: 'done' }, outcome: 'cured' }],
    },
    visited: [
      ...treating,
      'ReplaceStep',
      'ReplacementOver?',
      'WaitForReplacement',
      ...replaced.slice(treating.length),
      ...closed('Cured'),
    ],
  },
  {
    title: 'a node that must not be replaced',
    script: { plan: replacing, 'record-treatment': [{ treatment: { status: 'refused' } }] },
    visited: [...replaced, ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'a replacement that fails',
    script: { plan: replacing, 'record-treatment': [{ treatment: { status: 'failed' } }] },
    visited: [...replaced, ...undone, ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'a node that is held for its treatment until it has settled',
    script: {
      plan: [held],
      'hold-node': [
        { hold: { at: 'held', waitSeconds: 0 } },
        { hold: { at: 'settling', waitSeconds: 0 } },
        { hold: { at: 'over' } },
      ],
    },
    visited: [
      ...treating,
      'HoldNode',
      'Held?',
      ...ran('Treatment'),
      'SettleNode',
      'Settled?',
      'WaitForSettling',
      'SettleNode',
      'Settled?',
      'RecordTreatment',
      'Treated?',
      ...verified.slice(treated.length),
      ...closed('Cured'),
    ],
  },
  {
    title: 'a node that cannot be held: its document is not sent',
    script: {
      plan: [held],
      'hold-node': [{ hold: { at: 'refused' }, command: { status: 'refused' } }],
      'record-treatment': [{ treatment: { status: 'refused' } }],
    },
    visited: [
      ...treating,
      'HoldNode',
      'Held?',
      'RecordTreatment',
      'Treated?',
      ...nextRung,
      ...closed('Unresolved'),
    ],
  },
  {
    title: 'a node of which some pods go, act by act: the ladder goes on',
    script: {
      plan: [{ ladder: { status: 'rung' }, rung: { kind: 'evict' } }],
      'replace-step': [{ replacement: { at: 'drain', waitSeconds: 0 } }, { replacement: { at: 'over' } }],
      'record-treatment': [{ treatment: { status: 'done' } }],
    },
    visited: [
      ...treating,
      'ReplaceStep',
      'ReplacementOver?',
      'WaitForReplacement',
      'ReplaceStep',
      'ReplacementOver?',
      'RecordTreatment',
      'Treated?',
      ...nextRung,
      ...closed('Unresolved'),
    ],
  },
  {
    title: 'a node that is cordoned, and no more: the ladder goes on',
    script: {
      plan: [{ ladder: { status: 'rung' }, rung: { kind: 'cordon' } }],
      'hold-node': [{ hold: { at: 'held' } }],
      'record-treatment': [{ treatment: { status: 'done' } }],
    },
    visited: [
      ...treating,
      'HoldNode',
      'Held?',
      'RecordTreatment',
      'Treated?',
      ...nextRung,
      ...closed('Unresolved'),
    ],
  },
  {
    title: 'a treatment that the node refuses',
    script: { 'record-treatment': [{ treatment: { status: 'refused' } }] },
    visited: [...treated, ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'a treatment that fails',
    script: { 'record-treatment': [{ treatment: { status: 'failed' } }] },
    visited: [...treated, ...undone, ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'a treatment that takes several samples to judge',
    script: {
      verify: [
        { verification: { verdict: 'looking', waitSeconds: 0 } },
        { verification: { verdict: 'cured', waitSeconds: 0 }, outcome: 'cured' },
      ],
    },
    visited: [...verified, 'WaitForSample', ...ran('Verify'), 'Verify', 'Verdict?', ...closed('Cured')],
  },
  {
    title: 'a treatment that only relieves',
    script: {
      verify: [{ verification: { verdict: 'relieved' } }],
      'next-rung': [{ ladder: { status: 'exhausted' }, outcome: 'relieved' }],
    },
    visited: [...verified, ...nextRung, ...closed('Relieved')],
  },
  {
    title: 'a treatment that does not help, undone',
    script: {
      verify: [{ verification: { verdict: 'worse' } }],
      'send-undo': [{ command: { status: 'running', waitSeconds: 0 } }],
      'record-undo': [{ undo: { status: 'done' } }],
    },
    visited: [...verified, ...ran('Undo'), 'RecordUndo', 'Undone?', ...nextRung, ...closed('Unresolved')],
  },
  {
    title: 'an undo that fails',
    script: {
      verify: [{ verification: { verdict: 'not-cured' } }],
      'record-undo': [{ undo: { status: 'failed' }, outcome: 'failed' }],
    },
    visited: [...verified, ...undone, ...closed('Failed')],
  },
];

describe('a walk through the state machine', () => {
  it.concurrent.each(walks)('$title', async ({ script, token, visited }) => {
    const result = await walk({ script, ...(token === undefined ? {} : { token }) });

    expect(result.visited).toEqual(visited);
    expect(result.status).toBe(visited.at(-1) === 'Failed' ? 'FAILED' : 'SUCCEEDED');
  });
});

describe('an error', () => {
  const error = new TaskError('Sandbox.Timedout', 'the function took too long');
  const reports: Script = { close: [{ outcome: 'failed' }] };
  const usual = [...undone, ...closed('Failed')];
  /** Where a broken task leads, if not to undo. */
  const exceptions: Record<string, string[]> = {
    Open: ['OpenFailed'],
    Close: ['CloseFailed'],
    SendUndo: closed('Failed'),
    PollUndo: closed('Failed'),
    RecordUndo: closed('Failed'),
    // What is known around the node never ends an incident: it goes on as if nothing were.
    ExamineAround: [...verified.slice(examined.length), ...closed('Failed')],
    RecheckAround: ['Recheck', 'StillTrue?', ...verified.slice(atGate.length), ...closed('Failed')],
    // The record decides, not the wait: here it says approved.
    RequestApproval: [
      ...rechecked.slice(asked.length - 2),
      ...verified.slice(atGate.length),
      ...closed('Failed'),
    ],
  };
  const tasks = [...new Set(walks.flatMap(({ visited }) => visited))].filter(
    (state) =>
      !/\?$|^WaitAt|^WaitFor|^(Cured|Relieved|Unresolved|Observed|Refused|Denied|Expired|Void|Failed)$/.test(
        state,
      ),
  );

  it.concurrent.each(tasks)('in %s leads on, and never to an ordinary end', async (task) => {
    const route = walks.find(({ visited, token }) => visited.includes(task) && token === undefined);
    if (route === undefined) throw new Error(`no walk comes through ${task}`);
    const before = route.visited.slice(0, route.visited.indexOf(task));
    const call = before.filter((state) => tasks.includes(state)).length + 1;

    // An undo is tried three times before it counts as broken.
    const times = task.endsWith('Undo') ? 3 : 1;

    const result = await walk({ script: { ...route.script, ...reports }, failing: { call, times, error } });

    expect(result.visited).toEqual([...before, task, ...(exceptions[task] ?? usual)]);
    expect(result.status).toBe('FAILED');
  });

  it.concurrent('in the undo that passes is retried and leaves no trace', async () => {
    const route = walks.find(({ visited, token }) => visited.includes('SendUndo') && token === undefined);
    const before = route?.visited.slice(0, route.visited.indexOf('SendUndo')) ?? [];
    const call = before.filter((state) => tasks.includes(state)).length + 1;
    const result = await walk({ script: route?.script ?? {}, failing: { call, times: 2, error } });
    expect(result.visited).toEqual(route?.visited);
  });

  it('is known to the functions after it, at $.error', async () => {
    let seen: Json = null;
    await runStateMachine({
      definition,
      name: 'walk',
      input: {},
      async invokeFunction(arn, payload) {
        if (!isJsonObject(payload)) throw new Error('no object');
        if (arn.endsWith('-diagnose')) throw error;
        if (arn.endsWith('-send-undo')) seen = payload.error ?? null;
        const name = arn.split(':CgroupMedic-')[1] ?? '';
        return { ...payload, ...(cured[name]?.[0] ?? {}) };
      },
      waitForToken: () => Promise.resolve({}),
    });
    expect(seen).toMatchObject({ Error: 'Sandbox.Timedout' });
  });

  it('of the Lambda service is retried and leaves no trace', async () => {
    const busy = new TaskError('Lambda.TooManyRequestsException', 'rate exceeded');
    const result = await walk({ failing: { call: 1, error: busy } });
    expect(result.visited).toEqual([...verified, ...closed('Cured')]);
    expect(result.history.filter(({ type }) => type === 'StateRetried').map(({ state }) => state)).toEqual([
      'Open',
    ]);
  });

  it('covers every task of the state machine', () => {
    const all = [...statesOf(definition)].filter(([, { Type }]) => Type === 'Task').map(([name]) => name);
    expect([...tasks].sort()).toEqual(all.sort());
  });
});

afterAll(() => {
  // Here and not in a test: the walks above have to be over.
  const missed = transitionsOf(definition).filter((transition) => !walked.has(transition));
  expect(missed, 'transitions that no walk takes').toEqual([]);
});
