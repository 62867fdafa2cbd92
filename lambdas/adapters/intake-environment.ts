import * as z from 'zod';
import { json, readEnvironment } from './environment.ts';

const text = z.string().min(1);

const IntakeEnvironment = z.object({
  STATE_MACHINE_ARN: text,
  /** The queue of alarms, to which only services and functions of this project may write. */
  ALARM_QUEUE_ARN: text,
  /** The queue to which people write. */
  BY_HAND_QUEUE_ARN: text,
  AMP_TOPIC_ARN: text,
  AUDIT_LOG_GROUP: text,
  /** Functions in the VPCs of clusters, by cluster. */
  CLUSTER_READERS: json.pipe(z.record(z.string(), text)).default({}),
});
type IntakeEnvironment = z.infer<typeof IntakeEnvironment>;

const WebhookEnvironment = z.object({ QUEUE_URL: text, SECRET_ID: text });
type WebhookEnvironment = z.infer<typeof WebhookEnvironment>;

let intake: IntakeEnvironment | undefined;
let webhook: WebhookEnvironment | undefined;

/** The environment of the function that takes alarms in. Throws as `environment`. */
export function intakeEnvironment(): IntakeEnvironment {
  intake ??= readEnvironment(IntakeEnvironment);
  return intake;
}

/** The environment of the webhook. Throws as `environment`. */
export function webhookEnvironment(): WebhookEnvironment {
  webhook ??= readEnvironment(WebhookEnvironment);
  return webhook;
}
