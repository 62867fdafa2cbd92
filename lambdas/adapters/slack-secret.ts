import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { MedicError } from './medic-error.ts';

/** How long the secret is kept before it is read again: a new one holds after that. */
const keptMs = 300_000;

const Content = z.object({
  /** "Signing Secret" of the app's basic information. */
  signingSecret: z.string().min(20).max(200),
  /** "Bot User OAuth Token". */
  botToken: z.string().regex(/^xox[a-z]-.{10,250}$/),
});
export type SlackSecrets = z.infer<typeof Content>;

let kept: { content: SlackSecrets; at: number } | undefined;

/**
 * What Slack and the medic know of each other.
 *
 * @throws MedicError that says what the secret lacks, and nothing that is in it
 */
export async function slackSecrets(client: SecretsManagerClient, secretId: string): Promise<SlackSecrets> {
  if (kept !== undefined && Date.now() - kept.at < keptMs) return kept.content;
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  const parsed = Content.safeParse(jsonOf(SecretString));
  if (!parsed.success) {
    const lacking = parsed.error.issues.map(({ path }) => path.join('.') || 'JSON').join(', ');
    throw new MedicError(
      `the secret of Slack is not complete (${lacking}): give it {"signingSecret": "…", "botToken": "xoxb-…"}, as docs/slack.md says`,
    );
  }
  kept = { content: parsed.data, at: Date.now() };
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
