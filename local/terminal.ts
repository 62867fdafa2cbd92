import { createInterface, type Interface } from 'node:readline/promises';
import { printable } from '../lambdas/domain/printable.ts';
import type { Decision } from './approvals.ts';
import { type Question, settledSentence } from './question.ts';

export type Terminal = { input: NodeJS.ReadableStream; output: NodeJS.WritableStream };

/** The terminal of this process. Questions go to standard error, so that standard output stays for the record. */
export function ownTerminal(): Terminal | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return { input: process.stdin, output: process.stderr };
}

/** Asks until a decision is recorded, here or elsewhere. A refusal is said, and the question asked again. */
export async function askAtTerminal(question: Question, { input, output }: Terminal): Promise<void> {
  const { request, signal } = question;
  const say = (text: string) => output.write(`${printable(text)}\n`);
  say(`\n${request.title}\n${request.text.replace(/^/gm, '  ')}`);
  const lines = createInterface({ input, output });
  // A prompt takes the keyboard over, so Ctrl-C would not reach the process by itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    for (;;) {
      const answer = await question.decide(await readDecision(lines, signal, say), 'terminal');
      if (answer.status === 'recorded') {
        const { status, decisions, quorum } = answer.approval;
        if (status === 'pending')
          say(`Recorded: ${decisions} of ${quorum}. Somebody else has to approve as well.`);
        return;
      }
      if (signal.aborted) break;
      say(`Refused: ${answer.reason}.`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    lines.close();
  }
  if (question.settled !== undefined) say(`\n${settledSentence(question.settled)}`);
}

async function readDecision(
  lines: Interface,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<Decision> {
  for (;;) {
    const answer = (await lines.question('Approve? [yes/no] ', { signal })).trim().toLowerCase();
    if (['y', 'yes'].includes(answer)) return { decision: 'approve' };
    if (['n', 'no'].includes(answer)) {
      const reason = (
        await lines.question('Reason for the denial (needed; it goes into the audit): ', { signal })
      ).trim();
      if (reason !== '') return { decision: 'deny', reason };
      say('A denial needs a reason.');
    } else {
      say(`"${answer.slice(0, 40)}" is no decision: yes or no.`);
    }
  }
}
