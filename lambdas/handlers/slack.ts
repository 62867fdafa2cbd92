import { Logger } from '@aws-lambda-powertools/logger';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ApprovalReader } from '../adapters/approval-reader.ts';
import { type DoorDecision, handOn } from '../adapters/decide-function.ts';
import { dynamo } from '../adapters/dynamo.ts';
import { count } from '../adapters/embedded-metrics.ts';
import { impatient } from '../adapters/impatient.ts';
import { settings } from '../adapters/settings-file.ts';
import { SlackClient } from '../adapters/slack-client.ts';
import { slackEnvironment } from '../adapters/slack-environment.ts';
import { type SlackSecrets, slackSecrets } from '../adapters/slack-secret.ts';
import { SlackStore } from '../adapters/slack-store.ts';
import { type HttpAnswer, jsonAnswer, UrlRequest } from '../adapters/url-request.ts';
import type { DecideAnswer } from '../domain/approval/decide-answer.ts';
import { type Person, personOfSlack } from '../domain/approval/person.ts';
import { denyModal, evidenceModal, sayingModal } from '../domain/slack/blocks.ts';
import { type Interaction, readInteraction, reasonBlock } from '../domain/slack/interaction.ts';
import { isFromSlack, nameOfRequest } from '../domain/slack/signature.ts';

/** Slack gives up after three seconds. Of those, so many are for the decision and so many for a word to whoever clicked. */
const decideMs = 1700;
const slackMs = 800;
/** A click or a form is some kilobytes. */
const largestBody = 64 * 1024;

const logger = new Logger();
const secrets = new SecretsManagerClient(impatient);
const lambda = new LambdaClient({ maxAttempts: 1 });

/**
 * The door in Slack, at a public address: takes clicks and forms that Slack has signed, finds the person of the settings behind
 * the member id, and gives their decision to `decide`. Whatever is not from Slack, now and for the first time gets one and the
 * same answer. Nothing of a request is logged but where it came from, who clicked and on what.
 */
export async function handler(event: unknown): Promise<HttpAnswer> {
  const { requestContext, headers, body = '', isBase64Encoded } = UrlRequest.parse(event);
  logger.resetKeys();
  logger.appendKeys({ requestId: requestContext.requestId, sourceIp: requestContext.http.sourceIp });
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  let known: SlackSecrets;
  try {
    known = await slackSecrets(secrets, slackEnvironment().SECRET_ID);
  } catch (error) {
    logger.error('the secret of Slack cannot be read', { error });
    count([{ name: 'SlackFailed', value: 1 }]);
    return jsonAnswer(503, { message: 'not now' });
  }
  const signature = headers['x-slack-signature'];
  const request = { timestamp: headers['x-slack-request-timestamp'], signature, body: bytes };
  const now = new Date();
  const signed = isFromSlack(request, known.signingSecret, now.getTime() / 1000);
  const fits = requestContext.http.method === 'POST' && bytes.length <= largestBody;
  if (!signed || !fits) return refuse();
  const store = new SlackStore(dynamo(), slackEnvironment().STATE_TABLE);
  if (!(await store.takeRequest(nameOfRequest(signature ?? ''), now))) return refuse();
  const interaction = readInteraction(bytes.toString('utf8'));
  const { people, slack } = settings();
  // Signed, but about nothing of ours: another version of this app, or another workspace of the same one.
  if (interaction === undefined || interaction.team !== slack.teamId) return refuse();
  const { kind, user, approvalId } = interaction;
  logger.appendKeys({ kind, user, approvalId });
  const client = new SlackClient(known.botToken, slackEnvironment().SLACK_API_URL, slackMs);
  const person = personOfSlack(people, user);
  if (person === undefined) {
    logger.warn('somebody whom the settings do not know has clicked');
    count([{ name: 'SlackStrangers', value: 1 }]);
    return tellPrivately(
      client,
      interaction,
      `You (${user}) are not one of the people in the settings of cgroup-medic, so nothing was recorded. Whoever runs it adds you: people.NAME.slack.`,
    );
  }
  return act(client, interaction, person);
}

function refuse(): HttpAnswer {
  logger.warn('a request was refused');
  count([{ name: 'SlackRequestsRefused', value: 1 }]);
  return jsonAnswer(401, { message: 'not accepted' });
}

async function act(client: SlackClient, interaction: Interaction, person: Person): Promise<HttpAnswer> {
  const { approvalId } = interaction;
  switch (interaction.kind) {
    case 'deny':
      return open(client, interaction, interaction.triggerId, denyModal(approvalId));
    case 'evidence': {
      const card = await new ApprovalReader(dynamo(), slackEnvironment().STATE_TABLE).card(approvalId);
      return card === undefined
        ? tellPrivately(client, interaction, `There is no evidence for ${approvalId} any more.`)
        : open(client, interaction, interaction.triggerId, evidenceModal(card));
    }
    case 'approve':
      return decideAndTell(client, interaction, { person, decision: 'approve' });
    case 'submitted':
      return decideAndTell(client, interaction, { person, decision: 'deny', reason: interaction.reason });
  }
}

async function decideAndTell(
  client: SlackClient,
  interaction: Interaction,
  request: { person: Person; decision: 'approve' | 'deny'; reason?: string },
): Promise<HttpAnswer> {
  const { approvalId } = interaction;
  try {
    const { person, ...decision } = request;
    const asked = { approvalId, ...decision, by: { door: 'slack', person } } satisfies DoorDecision;
    const answer = await handOn(lambda, slackEnvironment().DECIDE_FUNCTION, asked, decideMs);
    const sentence = sentenceOf(answer);
    logger.info('a decision was given', { person: person.id, status: answer?.status ?? 'not yet' });
    if (sentence === undefined) return jsonAnswer(200, {});
    // The form would show it as a mistake of whoever has filled it in, and ask for the same again.
    if (interaction.kind === 'submitted' && answer?.status !== 'refused') {
      return jsonAnswer(200, { response_action: 'update', view: sayingModal(sentence) });
    }
    return tellPrivately(client, interaction, sentence);
  } catch (error) {
    logger.error('a decision could not be given', { error });
    count([{ name: 'SlackFailed', value: 1 }]);
    return tellPrivately(
      client,
      interaction,
      'It could not be recorded. Click again, or decide at the AWS console or by npm run decide.',
    );
  }
}

/** Nothing where the card itself will say it. */
function sentenceOf(answer: DecideAnswer | undefined): string | undefined {
  if (answer === undefined)
    return 'It is being recorded. The card says so in a moment; if not, decide again.';
  if (answer.status === 'refused') return `It was not recorded: ${answer.reason}.`;
  const { status, decisions, quorum } = answer.approval;
  return status === 'pending'
    ? `Recorded: ${decisions} of ${quorum}. Others have to approve as well.`
    : undefined;
}

async function open(
  client: SlackClient,
  interaction: Interaction,
  triggerId: string,
  view: object,
): Promise<HttpAnswer> {
  try {
    await client.call('views.open', { trigger_id: triggerId, view });
    return jsonAnswer(200, {});
  } catch (error) {
    logger.error('a form could not be opened', { error });
    count([{ name: 'SlackFailed', value: 1 }]);
    return tellPrivately(client, interaction, 'Slack did not open the form: click again.');
  }
}

/** Only whoever clicked sees it: in the form where there is one, below the card otherwise. */
async function tellPrivately(
  client: SlackClient,
  interaction: Interaction,
  text: string,
): Promise<HttpAnswer> {
  if (interaction.kind === 'submitted') {
    return jsonAnswer(200, { response_action: 'errors', errors: { [reasonBlock]: text.slice(0, 1000) } });
  }
  try {
    const { channel, user } = interaction;
    await client.call('chat.postEphemeral', { channel, user, text: text.slice(0, 3000), mrkdwn: false });
  } catch (error) {
    logger.error('whoever clicked could not be told', { error });
    count([{ name: 'SlackFailed', value: 1 }]);
  }
  return jsonAnswer(200, {});
}
