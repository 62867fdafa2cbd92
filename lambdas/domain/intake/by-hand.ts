import * as z from 'zod';
import { ClusterName, InstanceId, reasonText, type Source } from './raw-alarm.ts';
import { refusal } from './refusal.ts';

/** What a person asks for. Who asks is not part of it: that is what AWS says of the message. */
export const Request = z.object({
  instanceId: InstanceId,
  cluster: ClusterName,
  reason: z.string().max(500).default(''),
});
export type Request = z.infer<typeof Request>;

/** Incidents that people start: `npm run remediate`, or the runbook in the console. */
export const byHand: Source = {
  id: 'by-hand',
  // A person who waits for longer has found another way.
  oldestSeconds: 3600,
  read(payload, { messageId, sentAt, senderId }) {
    const parsed = Request.safeParse(payload);
    if (!parsed.success) {
      const sentence = `this is no request for an incident: ${z.prettifyError(parsed.error)}`;
      return { alarms: [], refusals: [refusal('malformed', sentence)] };
    }
    if (senderId === undefined || senderId === '') {
      return { alarms: [], refusals: [refusal('forged', 'SQS does not say who has sent this request')] };
    }
    const { instanceId, cluster, reason } = parsed.data;
    return {
      alarms: [
        {
          source: 'by-hand',
          eventId: messageId,
          at: sentAt.toISOString(),
          state: 'firing',
          target: { instanceId },
          cluster,
          reason: reasonText('asked for by hand', reason),
          requestedBy: senderId.slice(0, 256),
        },
      ],
      refusals: [],
    };
  },
};
