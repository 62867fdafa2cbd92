import { Logger } from '@aws-lambda-powertools/logger';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { count } from '../adapters/embedded-metrics.ts';
import { impatient } from '../adapters/impatient.ts';
import { webhookEnvironment } from '../adapters/intake-environment.ts';
import { putInQueue } from '../adapters/queue.ts';
import { type HttpAnswer, jsonAnswer, UrlRequest } from '../adapters/url-request.ts';
import { WebhookSecret } from '../adapters/webhook-secret.ts';
import { WebhookBody } from '../domain/intake/alertmanager.ts';
import { type HttpRequest, judge, type WebhookReason } from '../domain/intake/webhook-request.ts';

const logger = new Logger();
const secrets = new SecretsManagerClient(impatient);
// By default the URL of the queue is the endpoint, whatever endpoint was configured.
const sqs = new SQSClient({ ...impatient, useQueueUrlAsEndpoint: false });
let secret: WebhookSecret | undefined;

/**
 * The webhook of a self-managed Alertmanager, at a public address: takes in what comes with the right bearer token, and says so once it is
 * in the queue. Alertmanager sends again what was answered with 5xx. Nothing of a request is logged but where it came from.
 */
export async function handler(event: unknown): Promise<HttpAnswer> {
  const { requestContext, headers, body = '', isBase64Encoded } = UrlRequest.parse(event);
  const { requestId, http } = requestContext;
  logger.resetKeys();
  logger.appendKeys({ requestId, sourceIp: http.sourceIp });
  const refuse = (statusCode: number, reason: WebhookReason, sentence: string): HttpAnswer => {
    logger.warn('a request was refused', { statusCode, reason, sentence });
    count([{ name: 'AlarmsRefused', value: 1, dimensions: { Reason: reason } }]);
    return answer(statusCode, sentence);
  };
  const request: HttpRequest = { method: http.method, headers, body, isBase64Encoded };
  const { QUEUE_URL, SECRET_ID } = webhookEnvironment();
  secret ??= new WebhookSecret(secrets, SECRET_ID);
  const { token, ...judged } = judge(request);
  try {
    if (token === undefined || !(await secret.fits(token))) {
      return refuse(
        401,
        'unauthorized',
        'the header Authorization must be Bearer and the token of the webhook',
      );
    }
  } catch (error) {
    logger.error('the secret of the webhook cannot be read', { error });
    return refuse(503, 'unavailable', 'the token cannot be checked now: send again');
  }
  // Who has no token learns nothing of what else is wrong.
  if ('refused' in judged) return refuse(...judged.refused);
  const parsed = WebhookBody.safeParse(judged.payload);
  if (!parsed.success) {
    return refuse(400, 'malformed', `this is no notification of an Alertmanager webhook, version 4`);
  }
  try {
    const message = { source: 'alertmanager', received: new Date().toISOString(), payload: parsed.data };
    const messageId = await putInQueue(sqs, QUEUE_URL, message);
    logger.info('alerts are in the queue', { messageId, alerts: parsed.data.alerts.length });
    return answer(202, 'in the queue');
  } catch (error) {
    logger.error('the queue does not take the alerts', { error });
    return refuse(503, 'unavailable', 'the queue does not take it now: send again');
  }
}

function answer(statusCode: number, message: string): HttpAnswer {
  return jsonAnswer(statusCode, { message });
}
