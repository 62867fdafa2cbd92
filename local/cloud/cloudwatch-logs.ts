import { isJsonObject } from '../engine/json.ts';
import { jsonService, type Service, ServiceError } from './wire.ts';

export type LogLine = { group: string; stream: string; timestamp: number; message: string };

const day = 86_400_000;

/** CloudWatch Logs: takes lines into the log groups of the template and hands each one on. */
export function cloudwatchLogsService(groups: readonly string[], onLine: (line: LogLine) => void): Service {
  const streams = new Map(groups.map((group) => [group, new Set<string>()]));
  const streamsOf = (group: string): Set<string> => {
    const known = streams.get(group);
    if (known === undefined) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
    }
    return known;
  };
  return jsonService(
    { name: 'logs', file: 'local/cloud/cloudwatch-logs.ts' },
    {
      CreateLogStream({ logGroupName, logStreamName }) {
        const known = streamsOf(String(logGroupName));
        if (known.has(String(logStreamName))) {
          throw new ServiceError('ResourceAlreadyExistsException', 'The specified log stream already exists');
        }
        known.add(String(logStreamName));
        return {};
      },
      PutLogEvents({ logGroupName, logStreamName, logEvents }) {
        const [group, stream] = [String(logGroupName), String(logStreamName)];
        if (!streamsOf(group).has(stream)) {
          throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
        }
        const events = Array.isArray(logEvents) ? logEvents.filter(isJsonObject) : [];
        const now = Date.now();
        const tooOld = events.filter(({ timestamp }) => Number(timestamp) < now - 14 * day).length;
        const tooNew = events.findIndex(({ timestamp }) => Number(timestamp) > now + day / 12);
        const last = tooNew === -1 ? events.length : tooNew;
        for (const { timestamp, message } of events.slice(tooOld, last)) {
          onLine({ group, stream, timestamp: Number(timestamp), message: String(message) });
        }
        if (tooOld === 0 && tooNew === -1) return { nextSequenceToken: 'local' };
        return {
          nextSequenceToken: 'local',
          rejectedLogEventsInfo: {
            ...(tooOld === 0 ? {} : { tooOldLogEventEndIndex: tooOld }),
            ...(tooNew === -1 ? {} : { tooNewLogEventStartIndex: tooNew }),
          },
        };
      },
    },
  );
}
