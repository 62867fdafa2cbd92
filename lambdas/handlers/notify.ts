import { SNSClient } from '@aws-sdk/client-sns';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import { callForHelp } from '../domain/call-for-help.ts';
import { phase } from './phase.ts';
import { maySpeakSingly, withWhy } from './roll.ts';

const sns = new SNSClient({});

/**
 * The rung `notify`: calls a person, with what is known and what was tried. Of many incidents of one cause, the first are called for
 * one by one; the others are in the summaries, as nodes that need a person.
 */
export const handler = phase('notify', async (state, context) => {
  const { title, text } = callForHelp(state);
  const { may, why } = await maySpeakSingly(state, 'call', context);
  if (may) {
    const message = {
      kind: 'call-a-person',
      incident: state.incident.id,
      cluster: state.incident.cluster,
      instanceId: state.incident.instanceId,
      title,
      text,
    } as const;
    await publish(sns, environment().NOTIFY_TOPIC_ARN, withWhy(message, why));
  }
  await context.audit({
    step: 'notified',
    actor: { kind: 'rule', id: 'notify' },
    what: title,
    rung: state.ladder.index,
    treatment: 'notify',
    details: { told: may ? 'by itself' : 'in a summary' },
  });
  const reason = may
    ? 'a message went to the notification topic'
    : 'many nodes have the same: people are told of this one in a summary, and the audit has all of it';
  return { ...state, treatment: { status: 'done', reason } };
});
