import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cardOf } from '../../../lambdas/domain/approval/card.ts';
import { decideAt } from '../../../lambdas/domain/approval/decide-at.ts';
import {
  askingBlocks,
  evidenceModal,
  settledBlocks,
  tellingBlocks,
} from '../../../lambdas/domain/slack/blocks.ts';
import { action, denyView, readInteraction } from '../../../lambdas/domain/slack/interaction.ts';
import { isFromSlack } from '../../../lambdas/domain/slack/signature.ts';
import { blockProblem } from '../../local/slack-server.ts';
import { sampleApproval } from './approval/sample-approval.ts';

type Settled = Parameters<typeof settledBlocks>[1];

const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const now = 1_763_700_000;
const body = Buffer.from('payload=%7B%22type%22%3A%22block_actions%22%7D');
const signatureOf = (timestamp: string, of: Buffer = body, by = secret) =>
  `v0=${createHmac('sha256', by).update(`v0:${timestamp}:`).update(of).digest('hex')}`;
const signed = (seconds = now) => {
  const timestamp = String(seconds);
  return { timestamp, signature: signatureOf(timestamp), body };
};

describe('a request of Slack', () => {
  it('is known by the signature of Slack’s own example', () => {
    // https://docs.slack.dev/authentication/verifying-requests-from-slack
    const example = Buffer.from(
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    );
    const request = {
      timestamp: '1531420618',
      signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      body: example,
    };
    expect(isFromSlack(request, secret, 1_531_420_618)).toBe(true);
    expect(isFromSlack(request, secret, 1_531_420_618 + 301)).toBe(false);
  });

  it.each([
    ['five minutes ago', now - 300, true],
    ['longer ago', now - 301, false],
    ['of five minutes from now', now + 300, true],
    ['of later', now + 301, false],
  ])('%s', (_, at, accepted) => {
    expect(isFromSlack(signed(at), secret, now)).toBe(accepted);
  });

  it.each<[string, Partial<ReturnType<typeof signed>>]>([
    ['without a signature', { signature: undefined as never }],
    ['without a time', { timestamp: undefined as never }],
    ['with an empty signature', { signature: '' }],
    ['of another version', { signature: signatureOf(String(now)).replace('v0', 'v1') }],
    ['in capitals', { signature: signatureOf(String(now)).toUpperCase() }],
    ['with two signatures', { signature: `${signatureOf(String(now))},${signatureOf(String(now))}` }],
    ['with a space behind it', { signature: `${signatureOf(String(now))} ` }],
    ['by another secret', { signature: signatureOf(String(now), body, 'other') }],
    ['with another body', { body: Buffer.concat([body, Buffer.from('&')]) }],
    [
      'out of time, signed for the time that stands in for it',
      { timestamp: `${now - 301}`, signature: signatureOf('0') },
    ],
    ['at no time', { timestamp: 'NaN', signature: signatureOf('NaN') }],
    ['at a time in another spelling', { timestamp: `+${now}`, signature: signatureOf(`+${now}`) }],
    ['at a fraction', { timestamp: `${now}.0`, signature: signatureOf(`${now}.0`) }],
    ['at a time with a sign', { timestamp: `-${now}`, signature: signatureOf(`-${now}`) }],
  ])('%s is none', (_, change) => {
    expect(isFromSlack({ ...signed(), ...change }, secret, now)).toBe(false);
  });
});

const who = { team: { id: 'T012AB3CD' }, user: { id: 'U012AB3CD' } };
const form = (payload: unknown) => new URLSearchParams({ payload: JSON.stringify(payload) }).toString();

describe('what somebody did in Slack', () => {
  it('is a click on one button', () => {
    const click = {
      ...who,
      type: 'block_actions',
      trigger_id: 't',
      channel: { id: 'C1' },
      actions: [{ action_id: action.deny, value: 'inc-r0-v0' }],
    };
    expect(readInteraction(form(click))).toEqual({
      kind: 'deny',
      team: 'T012AB3CD',
      user: 'U012AB3CD',
      approvalId: 'inc-r0-v0',
      triggerId: 't',
      channel: 'C1',
    });
    expect(
      readInteraction(form({ ...click, actions: [...click.actions, ...click.actions] })),
    ).toBeUndefined();
    expect(
      readInteraction(form({ ...click, actions: [{ action_id: 'other', value: 'x' }] })),
    ).toBeUndefined();
  });

  it('or a form with a reason', () => {
    const values = (value: unknown) => ({
      ...who,
      type: 'view_submission',
      view: {
        callback_id: denyView,
        private_metadata: 'inc-r0-v0',
        state: { values: { reason: { text: { value } } } },
      },
    });
    expect(readInteraction(form(values('not tonight')))).toMatchObject({
      kind: 'submitted',
      reason: 'not tonight',
    });
    expect(readInteraction(form(values(null)))).toMatchObject({ reason: '' });
  });

  it.each(['', 'payload=', 'payload=%7B', 'payload=null', 'payload=[]', '%', 'x'.repeat(1000)])(
    '%o is neither',
    (text) => {
      expect(readInteraction(text)).toBeUndefined();
    },
  );
});

describe('what Slack shows', () => {
  const hostile = `<!channel> <https://evil|click> & \`rm -rf\` *bold* ${'x'.repeat(5000)}`;
  const card = {
    ...cardOf(
      sampleApproval({
        requestedBy: hostile.slice(0, 200),
        approvers: Array.from({ length: 50 }, (_, index) => `person-${index}`),
        quorum: 2,
      }),
      { diagnosis: undefined, plan: [], ladder: { index: 0, status: 'rung' }, results: [], leftOut: [] },
    ),
    decideAt: decideAt('CgroupMedic-decide', 'eu-west-1', 'inc-r0-v0'),
    title: hostile,
    reason: hostile.slice(0, 900),
    budget: hostile.slice(0, 900),
    arguments: { slices: hostile.slice(0, 900) },
    why: Array.from({ length: 150 }, () => hostile.slice(0, 1000)),
    tried: Array.from({ length: 150 }, () => hostile.slice(0, 1000)),
    cohort: Array.from({ length: 150 }, () => hostile.slice(0, 1000)),
  };
  const settled: Settled = {
    status: 'denied',
    by: [hostile.slice(0, 100)],
    reason: hostile,
    at: '2026-11-21T06:00:00.000Z',
  };

  it.each([
    ['a question', () => askingBlocks(card), 50],
    ['its end', () => settledBlocks(card, settled), 50],
    ['the evidence', () => (evidenceModal(card) as { blocks: unknown }).blocks, 100],
    [
      'news',
      () => tellingBlocks({ title: hostile, text: Array.from({ length: 99 }, () => hostile).join('\n') }),
      50,
    ],
  ])('of %s is what Slack takes, and mentions and links nobody', (_, blocks, most) => {
    const made = blocks();
    expect(blockProblem(made, most)).toBeUndefined();
    const plain = (JSON.stringify(made) ?? '').replaceAll(/"type":"plain_text","text":"[^"]*"/g, '');
    const ours = `<${card.decideAt.url}|the AWS console>`;
    expect(plain.replaceAll(ours, '')).not.toMatch(/<(?!!date\^)/);
  });

  it('asks once more before it approves, and gives no more than the id of the approval to a click', () => {
    const [approve, deny] = (askingBlocks(card).find(({ type }) => type === 'actions')?.elements ?? []) as {
      confirm?: object;
      value: string;
    }[];
    expect(approve?.confirm).toBeDefined();
    expect(JSON.stringify(askingBlocks(card))).toContain(`<${card.decideAt.url}|the AWS console>`);
    expect([approve?.value, deny?.value]).toEqual(['inc-r0-v0', 'inc-r0-v0']);
    expect(settledBlocks(card, settled).some(({ type }) => type === 'actions')).toBe(false);
  });
});
