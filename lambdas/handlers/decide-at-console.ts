import { Logger } from '@aws-lambda-powertools/logger';
import { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { automationExecution } from '../adapters/automation-executions.ts';
import { type DoorDecision, handOn } from '../adapters/decide-function.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { uniqueIdOf } from '../adapters/iam-ids.ts';
import { settings } from '../adapters/settings-file.ts';
import { ssm } from '../adapters/ssm.ts';
import { ConsoleDecision, problemOfExecution } from '../domain/approval/console-decision.ts';
import { type Person, personOfArn, principalsOf, withUniqueIds } from '../domain/approval/person.ts';

const Environment = z.object({ DECIDE_FUNCTION: z.string().min(1), DECIDE_DOCUMENT: z.string().min(1) });

/** What the person at the console reads. */
export type ConsoleAnswer = {
  status: 'recorded';
  approvalId: string;
  approval: { status: string; decisions: number; quorum: number };
  /** Who they were taken for. */
  person: string;
};

/**
 * The step of the automation fails with this, and its message is what the person at the console sees: the reason first, and no
 * list of places in a bundle behind it.
 */
export class RefusedError extends Error {
  override readonly name = 'Refused';

  constructor(reason: string) {
    super(reason);
    this.stack = `Refused: ${reason}`;
  }
}

/** Less than this function has itself. */
const answerMs = 20_000;

const logger = new Logger();
const lambda = new LambdaClient({});

/**
 * The door for people at the AWS console, called by the runbook with their rights. Whose decision it is says Systems Manager and
 * not the caller: ExecutedBy of the execution, which must be of our runbook, go on now, and ask for exactly this.
 *
 * @throws RefusedError
 */
export async function handler(input: unknown): Promise<ConsoleAnswer> {
  logger.resetKeys();
  const { DECIDE_FUNCTION, DECIDE_DOCUMENT } = readEnvironment(Environment);
  const parsed = ConsoleDecision.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(`${issue?.path.join('.') || 'the request'}: ${issue?.message}`);
  }
  const { approvalId, decision, reason, executionId } = parsed.data;
  logger.appendKeys({ approvalId, decision, executionId });

  const execution = await automationExecution(ssm(), executionId).catch((error: unknown) => {
    logger.warn('Systems Manager cannot be asked about the execution', { error });
    return refuse(`Systems Manager does not say who started the execution ${executionId}`);
  });
  const problem = problemOfExecution(parsed.data, execution, DECIDE_DOCUMENT);
  if (problem !== undefined) return refuse(problem);
  const { people, trustedSessionRoles } = settings();
  const { executedBy = 'nobody' } = execution;
  const person = personOfArn(people, trustedSessionRoles, executedBy);
  if (person === undefined) {
    return refuse(
      `${executedBy} decides nothing: only IAM users and sessions of roles that people assume do`,
    );
  }

  const asked: DoorDecision = {
    approvalId,
    decision,
    by: { door: 'console', person: await knownToIam(person) },
    ...(reason === '' ? {} : { reason }),
  };
  const answer = await handOn(lambda, DECIDE_FUNCTION, asked, answerMs);
  if (answer === undefined) {
    return refuse('whether it was recorded is not known yet: run this again with the same decision');
  }
  if (answer.status === 'refused') return refuse(answer.reason);
  logger.info('decision recorded', { person: person.id });
  return { status: 'recorded', approvalId, approval: answer.approval, person: person.id };
}

/**
 * With the unique ids by which AWS knows who asked by hand. Where IAM does not say them, the person goes on without, and may
 * then not approve what a role or user asked for by hand.
 */
async function knownToIam(person: Person): Promise<Person> {
  const asked = await Promise.allSettled(principalsOf(person).map(uniqueIdOf));
  const ids = asked.flatMap((one) => {
    if (one.status === 'fulfilled') return [one.value];
    logger.warn('IAM does not say the unique id of who decides', { error: one.reason });
    return [];
  });
  return withUniqueIds(person, ids);
}

function refuse(reason: string): never {
  logger.info('decision refused', { reason });
  throw new RefusedError(reason);
}
