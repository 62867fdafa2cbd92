import type { Message } from '../message.ts';
import type { Cohort, News } from './cohort.ts';

type Told = Omit<Message, 'version'>;

/** What is told of a cohort, below the card of the incident that asked. A stop is told to everybody. */
export function newsMessage(
  { kind, text }: News,
  { leader, treatment }: Pick<Cohort, 'leader' | 'treatment'>,
  cluster: string,
): Told {
  const what = { wave: 'goes on', stopped: 'is stopped', through: 'is through' }[kind];
  return {
    kind: kind === 'stopped' ? 'call-a-person' : 'progress',
    incident: leader,
    cluster,
    title: `The cohort of ${treatment} in ${cluster} ${what}`,
    text,
  };
}
