import { climb, passedOver } from '../domain/incident-progress.ts';
import { phase } from './phase.ts';

/** Goes to the next rung of the ladder, or finds that there is none. */
export const handler = phase('next-rung', async (state, { audit }) => {
  const next = climb(state);
  await audit({
    step: 'rung.next',
    actor: { kind: 'rule', id: 'ladder' },
    what: [
      next.rung === undefined ? 'no rung is left' : `the next rung is ${next.rung.treatment}`,
      ...passedOver(state, next).map(({ treatment, onceStopped }) =>
        next.results.at(-1)?.verification?.unseen
          ? `${treatment} is passed over: whether ${state.rung?.treatment} helped was not seen`
          : onceStopped
            ? `${treatment} is passed over: nothing has stopped the producer`
            : `${treatment} is passed over: the producer is stopped already`,
      ),
    ].join('; '),
    rung: next.ladder.index,
    outcome: next.ladder.status,
  });
  return next;
});
