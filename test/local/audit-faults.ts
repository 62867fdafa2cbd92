import type { Disturbance } from '../../local/cloud/cloud.ts';
import { accessKeyOf, ServiceError } from '../../local/cloud/wire.ts';
import type { Engine } from '../../local/engine/engine.ts';

/** One write of an incident's audit, as it was seen at the wire. */
export type AuditWrite = 'place' | 'entry' | 'log line' | 'mark';

/**
 * fail: from the nth write of a kind on, the service takes none of any kind. fail-log: from the nth line on, the log group
 * takes none, and the table does. kill: right after the nth write of a kind was made, the process that made it ends,
 * without the answer.
 */
export type AuditFault = { how: 'fail' | 'fail-log' | 'kill'; kind: AuditWrite; nth: number };

/**
 * Lets a fault befall the audit of one incident, until `lift` is called.
 *
 * @returns the writes that were seen, the failed ones too
 */
export function disturbAudit(
  engine: Engine,
  incident: string,
  { how, kind, nth }: AuditFault,
): { writes: AuditWrite[]; lift: () => void } {
  const { AUDIT_TABLE, AUDIT_LOG_GROUP } = engine.stack.functions[0]?.environment ?? {};
  const writes: AuditWrite[] = [];
  let ofKind = 0;
  /** The incident that a process works on is the one whose trail it has read last. */
  const worksOn = new Map<string, string>();
  const disturb: Disturbance = ({ service, call, body, message }) => {
    if (service !== 'dynamodb' && service !== 'logs') return undefined;
    const input = JSON.parse(body.toString('utf8'));
    const accessKey = accessKeyOf(message);
    if (service === 'dynamodb' ? input.TableName !== AUDIT_TABLE : input.logGroupName !== AUDIT_LOG_GROUP) {
      return undefined;
    }
    const read = input.ExpressionAttributeValues?.[':incident']?.S;
    if (call === 'Query' && read !== undefined) worksOn.set(accessKey, read);
    if (worksOn.get(accessKey) !== incident) return undefined;
    const write = kindOf(call, input);
    if (write === undefined) return undefined;
    if (how === 'fail-log' && write !== 'log line') return undefined;
    writes.push(write);
    if (write === kind) ofKind += 1;
    if (how !== 'kill') {
      if (ofKind >= nth) throw new ServiceError('InternalServerError', 'this write fails for good', 500);
      return undefined;
    }
    const isIt = write === kind && ofKind === nth;
    const pid = isIt ? engine.functions.pidOf(accessKey) : undefined;
    if (pid === undefined) return undefined;
    // Held still, so that it sees nothing of the answer; the write itself is made.
    process.kill(pid, 'SIGSTOP');
    return () => process.kill(pid, 'SIGKILL');
  };
  engine.cloud.disturbances.add(disturb);
  return { writes, lift: () => engine.cloud.disturbances.delete(disturb) };
}

function kindOf(call: string, input: { Item?: { opened?: unknown } }): AuditWrite | undefined {
  if (call === 'PutLogEvents') return 'log line';
  if (call === 'UpdateItem') return 'mark';
  if (call !== 'PutItem') return undefined;
  return input.Item?.opened === undefined ? 'entry' : 'place';
}
