import * as z from 'zod';
import { readEnvironment } from './environment.ts';

const text = z.string().min(1);
/** Where Slack is: another address only where it stands on this machine. */
const SLACK_API_URL = z.url().default('https://slack.com/api/');

const SlackEnvironment = z.object({
  STATE_TABLE: text,
  SECRET_ID: text,
  DECIDE_FUNCTION: text,
  SLACK_API_URL,
});
type SlackEnvironment = z.infer<typeof SlackEnvironment>;
const SlackPostEnvironment = z.object({
  STATE_TABLE: text,
  SECRET_ID: text,
  /** Where messages go that Slack refuses for good. */
  DEAD_LETTERS: z.url(),
  SLACK_API_URL,
});
type SlackPostEnvironment = z.infer<typeof SlackPostEnvironment>;

let inbound: SlackEnvironment | undefined;
let outbound: SlackPostEnvironment | undefined;

/** The environment of the function that Slack calls. Throws as `environment`. */
export function slackEnvironment(): SlackEnvironment {
  inbound ??= readEnvironment(SlackEnvironment);
  return inbound;
}

/** The environment of the function that posts to Slack. Throws as `environment`. */
export function slackPostEnvironment(): SlackPostEnvironment {
  outbound ??= readEnvironment(SlackPostEnvironment);
  return outbound;
}
