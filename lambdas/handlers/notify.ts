import { SNSClient } from '@aws-sdk/client-sns';
import { environment } from '../adapters/environment.ts';
import { publish } from '../adapters/notifier.ts';
import { callForHelp } from '../domain/call-for-help.ts';
import { phase } from './phase.ts';

const sns = new SNSClient({});

/** The rung `notify`: calls a person, with what is known and what was tried. */
export const handler = phase('notify', async (state, { audit }) => {
  const { title, text } = callForHelp(state);
  await publish(sns, environment().NOTIFY_TOPIC_ARN, {
    kind: 'call-a-person',
    incident: state.incident.id,
    cluster: state.incident.cluster,
    instanceId: state.incident.instanceId,
    title,
    text,
  });
  await audit({
    step: 'notified',
    actor: { kind: 'rule', id: 'notify' },
    what: title,
    rung: state.ladder.index,
    treatment: 'notify',
  });
  return { ...state, treatment: { status: 'done', reason: 'a message went to the notification topic' } };
});
