import { createInterface } from 'node:readline/promises';
import * as z from 'zod';
import type { Engine } from './engine/engine.ts';

export const ApproveFlag = z.enum(['ask', 'yes', 'no']);
export type ApproveFlag = z.infer<typeof ApproveFlag>;

/** The message by which the functions ask for an approval. */
const ApprovalRequest = z.object({
  kind: z.literal('approval-requested'),
  incident: z.string(),
  title: z.string(),
  text: z.string(),
  approvalId: z.string(),
  expiresAt: z.string(),
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

export type Decision = { decision: 'approve' | 'deny'; reason?: string };
/** Decides on a request. `signal` fires when the decision is not wanted any more. */
export type Decider = (request: ApprovalRequest, signal: AbortSignal) => Promise<Decision>;

/** Raised when a person has to be asked and there is none at the terminal. */
export class NobodyToAskError extends Error {
  override readonly name = 'NobodyToAskError';
}

/** The request in a message to the topic, if it is one and belongs to this incident. */
export function approvalRequest(message: string, incident: string): ApprovalRequest | undefined {
  const parsed = ApprovalRequest.safeParse(JSON.parse(message));
  return parsed.success && parsed.data.incident === incident ? parsed.data : undefined;
}

export function deciderOf(flag: ApproveFlag): Decider {
  switch (flag) {
    case 'yes':
      return async () => ({ decision: 'approve', reason: 'started with --approve yes' });
    case 'no':
      return async () => ({ decision: 'deny', reason: 'started with --approve no' });
    case 'ask':
      return askAtTerminal;
  }
}

/**
 * Gives a decision to the deployed function `decide`, as every door does.
 *
 * @returns the reason why it was refused, if it was
 */
export async function decide(
  engine: Engine,
  request: ApprovalRequest,
  { decision, reason }: Decision,
  person: string,
): Promise<string | undefined> {
  const answer = await engine.functions.invoke(engine.stack.outputs.DecideFunctionName ?? '', {
    approvalId: request.approvalId,
    decision,
    by: { person, door: 'local' },
    ...(reason === undefined ? {} : { reason }),
  });
  const { status, reason: refusal } = z
    .object({ status: z.string(), reason: z.string().optional() })
    .parse(answer);
  return status === 'recorded' ? undefined : (refusal ?? 'no reason given');
}

/** Asks on standard error, so that standard output stays for the record. */
async function askAtTerminal(request: ApprovalRequest, signal: AbortSignal): Promise<Decision> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new NobodyToAskError(
      `${request.title} Somebody has to answer, and there is no terminal to ask at: start again with --approve yes or --approve no, or from a terminal.`,
    );
  }
  process.stderr.write(`\n${request.title}\n${request.text.replace(/^/gm, '  ')}\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // A prompt takes the keyboard over, so Ctrl-C would not reach the process by itself.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    for (;;) {
      const answer = (await terminal.question('Approve? [yes/no] ', { signal })).trim().toLowerCase();
      if (['y', 'yes'].includes(answer)) return { decision: 'approve' };
      if (['n', 'no'].includes(answer)) {
        const reason = (
          await terminal.question('Reason for the denial (needed; it goes into the audit): ', { signal })
        ).trim();
        if (reason !== '') return { decision: 'deny', reason };
        process.stderr.write('A denial needs a reason.\n');
      } else {
        process.stderr.write(`"${answer.slice(0, 40)}" is no decision: yes or no.\n`);
      }
    }
  } finally {
    terminal.close();
  }
}
