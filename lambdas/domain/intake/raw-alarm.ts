import * as z from 'zod';
import { Alarm } from '../alarm.ts';
import { printable } from '../printable.ts';
import type { Refusal } from './refusal.ts';

/** Who or what raises alarms. */
export type SourceId = Alarm['source'];
export const sourceIds: readonly SourceId[] = Alarm.shape.source.options;

/** An EC2 instance id, and nothing around it. */
export const InstanceId = Alarm.shape.instanceId;

/** What an object in Kubernetes may be called, and a node is: RFC 1123, at most 253 characters. */
export const NodeName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    'must be the name of a node: lower-case letters, digits, "-" and "."',
  );

/** A name that EKS gives to a cluster. */
export const ClusterName = z
  .string()
  .regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, 'must be an EKS cluster name');

/** What the source says the alarm is about. A CloudWatch alarm is named by a composite one, which says no more of it. */
export type Target = { instanceId: string } | { nodeName: string } | { alarmName: string };

/** One alarm about one node, as its source has it. */
export type RawAlarm = {
  source: SourceId;
  /** Names the event at the source: the same event, however often it is sent, has the same. At most 256 characters. */
  eventId: string;
  /** ISO time at which the alarm came to this state. */
  at: string;
  state: 'firing' | 'resolved';
  target: Target;
  cluster?: string;
  reason: string;
  /** The standing treatment that the census raised the node for. */
  standing?: string;
  /** Who asked, as AWS says. */
  requestedBy?: string;
};

/** What a source makes of one payload: every alarm in it is in one of the two. */
export type Reading = { alarms: RawAlarm[]; refusals: Refusal[] };

/** What AWS says of the message that a payload came in, and the payload itself does not. */
export type Delivery = {
  messageId: string;
  sentAt: Date;
  /** The unique id of the IAM principal that has sent it, as SQS has it. */
  senderId?: string;
};

/** One source of alarms. */
export interface Source {
  readonly id: SourceId;
  /** How far back the state change may lie, in seconds. */
  readonly oldestSeconds: number;
  /** Never throws. */
  read(payload: unknown, delivery: Delivery): Reading;
}

/** A reason as the incident keeps it. */
export function reasonText(...parts: (string | undefined)[]): string {
  const given = parts.filter((part) => part !== undefined && part.trim() !== '');
  return printable(given.join(': ')).slice(0, 1000);
}
