import { expect, it } from 'vitest';
import { cameOf } from '../../../../lambdas/domain/cohort/came.ts';
import type { IncidentState } from '../../../../lambdas/domain/incident-state.ts';
import { startReplacement } from '../../../../lambdas/domain/replacement/course.ts';
import { sampleApproval } from '../approval/sample-approval.ts';
import { openedState } from '../sample-state.ts';

const { rung } = sampleApproval();
const looked = (verdict: 'cured' | 'relieved' | 'unchanged' | 'worse' | 'looking') =>
  ({
    rung,
    treatment: { status: 'done', reason: 'ran' },
    verification: {
      verdict: verdict as 'cured',
      waitSeconds: 0,
      planned: 5,
      samples: [],
      alsoFound: [],
      provisional: false,
      findings: [],
    },
  }) satisfies Partial<IncidentState>;

const ended = (is: 'not-drained' | 'refused') => ({
  ...startReplacement('i-0123456789abcdef0', false),
  end: { is, says: 'shop/cart-budget allows nothing', cordonLeft: false },
});

it.each<[string, Partial<IncidentState>]>([
  ['helped', looked('cured')],
  ['helped', looked('relieved')],
  ['failed', looked('unchanged')],
  ['failed', looked('worse')],
  // Broke off between two looks: nobody saw it help.
  ['failed', looked('looking')],
  ['failed', { rung, treatment: { status: 'done', reason: 'ran' } }],
  // A cordon has nothing on its node to be looked at.
  ['helped', { rung: { ...rung, kind: 'cordon' }, treatment: { status: 'done', reason: 'made' } }],
  ['failed', { rung, treatment: { status: 'failed', reason: 'died' } }],
  // Sent, and something broke before its end was written down.
  ['failed', { rung, command: { status: 'running', document: 'reclaim', waitSeconds: 1 } }],
  ['left', { rung, treatment: { status: 'refused', reason: 'not here' } }],
  // Cordoned and partly evicted for nothing.
  ['failed', { rung, treatment: { status: 'refused', reason: 'x' }, replacement: ended('not-drained') }],
  ['left', { rung, treatment: { status: 'refused', reason: 'x' }, replacement: ended('refused') }],
  ['left', { rung }],
  ['left', {}],
])('an incident has %s', (came, state) => {
  expect(cameOf(openedState(state)).came).toBe(came);
});
