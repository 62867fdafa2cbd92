import { isNeedy } from '../../../lambdas/domain/audit/questions.ts';
import { type Facts, type Trail, toldFor, type Violation } from '../facts.ts';

/** A node needs a person, was left to a later summary, and no summary names it, nor counts all that need one. */
export function untold({ messages, trails }: Pick<Facts, 'messages' | 'trails'>): Violation[] {
  const needy = trails.filter(({ entries }) => entries.some(isNeedy));
  return [...Map.groupBy(needy, toldFor)].flatMap(([cause, own]) => {
    const summaries = messages.filter(({ title }) => title.includes(`incidents of ${cause} closed`));
    const counted = Math.max(0, ...summaries.map(({ title }) => Number(/(\d+) need/.exec(title)?.[1] ?? 0)));
    if (counted >= own.length) return [];
    return own
      .filter(isLeftToSummary)
      .filter(({ instanceId }) => !summaries.some(({ text }) => text.includes(instanceId)))
      .map(({ incident, instanceId }) => ({
        check: 'untold',
        what: `${instanceId} needs a person, and ${incident} left that to a later summary, in which it is not`,
      }));
  });
}

function isLeftToSummary({ entries }: Trail): boolean {
  const closed = entries.findLast(({ step }) => step === 'incident.closed');
  return closed?.details?.notified === 'in a later summary';
}
