import * as z from 'zod';
import { Alarm } from '../alarm.ts';
import { ClusterName, InstanceId, NodeName, reasonText, type Source } from './raw-alarm.ts';
import { refusal } from './refusal.ts';
import { isoTime } from './time.ts';

const Finding = z.object({
  cluster: ClusterName,
  instanceId: InstanceId,
  nodeName: NodeName.optional(),
  at: z.string().max(40),
  cause: z.string().max(100).optional(),
  reason: z.string().max(2000),
  standing: Alarm.shape.standing,
});

/** Nodes over a threshold, from this project's own census. */
export const census: Source = {
  id: 'census',
  oldestSeconds: 6 * 3600,
  read(payload) {
    const parsed = Finding.safeParse(payload);
    const at = parsed.success ? isoTime(parsed.data.at) : undefined;
    if (!parsed.success || at === undefined) {
      const what = parsed.success ? `at: ${parsed.data.at} is no time` : z.prettifyError(parsed.error);
      return { alarms: [], refusals: [refusal('malformed', `this is no finding of the census: ${what}`)] };
    }
    const { cluster, instanceId, cause, reason, standing } = parsed.data;
    return {
      alarms: [
        {
          source: 'census',
          eventId: `${cluster}/${instanceId}${cause === undefined ? '' : `/${cause}`}`,
          at,
          state: 'firing',
          target: { instanceId },
          cluster,
          reason: reasonText(cause, reason),
          ...(standing === undefined ? {} : { standing }),
        },
      ],
      refusals: [],
    };
  },
};
