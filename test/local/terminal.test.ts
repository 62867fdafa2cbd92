import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ApprovalPages } from '../../local/approval-page/approval-pages.ts';
import { askPeople, NobodyToAskError } from '../../local/ask-people.ts';
import { askAtTerminal } from '../../local/terminal.ts';
import { hostile, sampleQuestion } from './sample-question.ts';

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let text = '';
  output.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const sees = (what: string) => expect.poll(() => text).toContain(what);
  const type = async (prompt: string, line: string) => {
    await sees(prompt);
    text = '';
    input.write(`${line}\n`);
  };
  return { input, output, type, sees, text: () => text };
}

describe('the question at the terminal', () => {
  it('takes yes, and no with a reason only', async () => {
    const { question, given } = sampleQuestion();
    const { type, ...own } = terminal();
    const asked = askAtTerminal(question, own);
    await type('[yes/no]', 'perhaps');
    await type('[yes/no]', 'no');
    await type('Reason', '');
    await type('[yes/no]', 'no');
    await type('Reason', 'too busy');
    await asked;

    expect(given).toEqual([{ decision: 'deny', reason: 'too busy' }]);
  });

  it('says why a decision is refused, and asks again', async () => {
    const { question, given } = sampleQuestion({
      refuse: ({ decision }) => (decision === 'approve' ? 'ana may not' : undefined),
    });
    const { type, ...own } = terminal();
    const asked = askAtTerminal(question, own);
    await type('[yes/no]', 'yes');
    await own.sees('Refused: ana may not.');
    await type('[yes/no]', 'no');
    await type('Reason', 'then not');
    await asked;

    expect(given).toHaveLength(2);
  });

  it('is taken back when somebody decides on the page, and says so', async () => {
    const { question } = sampleQuestion();
    const own = terminal();
    const asked = askAtTerminal(question, own);
    await own.sees('[yes/no]');
    await question.decide({ decision: 'approve' }, 'page');
    await asked;

    expect(own.text()).toContain('This approval is approved by ana on the page');
  });

  it('prints no control characters of the node', async () => {
    const { question, over } = sampleQuestion({ text: hostile });
    const own = terminal();
    const asked = askAtTerminal(question, own);
    await own.sees('[yes/no]');
    over.abort();
    await asked;

    expect(own.text()).toContain('·[2J');
    expect(own.text()).not.toContain('\u001b[2J');
  });
});

describe('two decisions at the same moment', () => {
  it('are taken in their order: the first is recorded, the second told', async () => {
    const { question, given } = sampleQuestion();
    const [first, second] = await Promise.all([
      question.decide({ decision: 'deny', reason: 'no' }, 'terminal'),
      question.decide({ decision: 'approve' }, 'page'),
    ]);

    expect(first).toMatchObject({ status: 'recorded' });
    expect(second).toEqual({ status: 'refused', reason: 'this approval is already denied' });
    expect(given).toHaveLength(1);
    expect(question.settled).toMatchObject({ status: 'denied', place: 'terminal', reason: 'no' });
  });
});

describe('asking people', () => {
  it('without a terminal invites to the page, and says what happens without a decision', async () => {
    const { question, over } = sampleQuestion();
    let said = '';
    const people = askPeople({
      say: (text) => {
        said += text;
      },
    });
    const asked = people.ask(question);
    await expect.poll(() => said).toMatch(/Decide on this page: http:\/\/127\.0\.0\.1/);
    expect(said).toContain('Without a decision the approval expires at 2026-11-28T12:00:00.000Z');
    over.abort();
    await asked;
    await people.close();
  });

  it('with neither a page nor a terminal is an error', async () => {
    class NoPages extends ApprovalPages {
      override open(): Promise<string> {
        return Promise.reject(new Error('listen EPERM'));
      }
    }
    const { ask } = askPeople({ pages: new NoPages(), say: () => {} });

    await expect(ask(sampleQuestion().question)).rejects.toThrow(NobodyToAskError);
  });
});
