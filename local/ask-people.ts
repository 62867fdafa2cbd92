import { printable } from '../lambdas/domain/printable.ts';
import { ApprovalPages } from './approval-page/approval-pages.ts';
import type { Asker } from './approvals.ts';
import type { Question } from './question.ts';
import { askAtTerminal, type Terminal } from './terminal.ts';

/** Raised when a person has to be asked, and there is neither a page nor a terminal. */
export class NobodyToAskError extends Error {
  override readonly name = 'NobodyToAskError';
}

export type People = { ask: Asker; close(): Promise<void> };

export interface AskPeopleProps {
  /** Left out: there is none. */
  readonly terminal?: Terminal | undefined;
  /** Says something to people, and keeps standard output for the record. */
  say(text: string): void;
  readonly pages?: ApprovalPages;
}

/** Asks on a page of this machine and at the terminal, if there is one. Whoever answers first decides. */
export function askPeople({ terminal, say, pages = new ApprovalPages() }: AskPeopleProps): People {
  return {
    async ask(question) {
      const link = await pages.open(question).catch((error: Error) => {
        say(`There is no page to decide on: ${error.message}\n`);
        return undefined;
      });
      if (link === undefined && terminal === undefined) {
        throw new NobodyToAskError(
          `${printable(question.request.title)} Somebody has to answer, and there is neither a page nor a terminal to ask at: start again with --approve yes or --approve no.`,
        );
      }
      if (link !== undefined) say(invitation(question, link, terminal !== undefined));
      await (terminal === undefined ? ended(question.signal) : askAtTerminal(question, terminal));
    },
    close: () => pages.close(),
  };
}

function invitation({ request }: Question, link: string, alsoHere: boolean): string {
  const title = printable(request.title);
  return alsoHere
    ? `\nDecide on this page, or below: ${link}\n`
    : `\n${title}\nThere is no terminal to ask at. Decide on this page: ${link}\nWithout a decision the approval expires at ${request.expiresAt}, and the incident ends as expired.\n`;
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
