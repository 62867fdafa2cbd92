import * as z from 'zod';
import type { RungResult } from './incident-state.ts';
import { printable } from './printable.ts';
import type { Rung } from './treatments/treatment.ts';
import { figureOf } from './verification.ts';

/**
 * Why the ladder does not simply go on after this rung. broke-off, unseen: nobody knows what it has done, or whether it
 * helped. harmed: the node got worse. pressed: it stopped because memory or disks were short, so it was not tried to its end.
 */
export type HeldBack = 'broke-off' | 'unseen' | 'harmed' | 'pressed';

const Stopped = z.looseObject({ slices: z.array(z.looseObject({ path: z.string(), stopped: z.string() })) });

/** Why a reclaim ended where it was not done, and in which slice: the words are in docs/reclaim.md. */
export function earlyStops(result: RungResult['result']): string[] {
  const details = Stopped.safeParse(result?.details);
  const stops = details.success ? details.data.slices : [];
  return stops
    .filter(({ stopped }) => stopped !== 'done')
    .map(({ path, stopped }) => printable(`${stopped} (${path})`).slice(0, 200));
}

export function heldBackBy(last: RungResult | undefined): HeldBack | undefined {
  if (last?.status === 'failed') return 'broke-off';
  if (last?.verification?.harmed) return 'harmed';
  if (last?.verification?.unseen) return 'unseen';
  return earlyStops(last?.result).some((stop) => stop.startsWith('pressure ')) ? 'pressed' : undefined;
}

/**
 * Whether a rung may still follow. Where nobody knows how the node is, or it got worse, a person is called and nothing else
 * is done. After one that stopped under pressure only what asks a calm node for nothing goes on.
 */
export function mayFollow({ kind, onlyWhenCalm }: Rung, held: HeldBack | undefined): boolean {
  if (held === undefined || kind === 'notify') return true;
  return held === 'pressed' && !onlyWhenCalm;
}

/** For people: what is known of the rung that holds the ladder back. */
export function heldBackSentence(
  { treatment, reason, verification }: RungResult,
  held: HeldBack,
  plan: readonly Rung[],
): string {
  switch (held) {
    case 'broke-off':
      return `${treatment} broke off (${reason ?? 'no reason given'}), and what it has done is not known`;
    case 'harmed': {
      const worse = (verification?.findings ?? []).filter(({ speaks }) => speaks === 'against');
      const figures = worse.map(({ fact, value, threshold }) =>
        threshold === undefined ? `${fact} ${value}` : `${fact} ${value} (limit ${threshold})`,
      );
      return `the node got worse after ${treatment} (${figures.join('; ')})`;
    }
    case 'pressed':
      return `${treatment} stopped before its end, because this node waits for memory or disks`;
    case 'unseen': {
      const seen = verification?.samples.findLast(({ gap }) => gap === undefined);
      const signal = plan.find((rung) => rung.treatment === treatment)?.expects.signal ?? 'dying';
      const last = seen === undefined ? 'no look saw anything' : `last seen: ${figureOf(seen, signal)}`;
      return `whether ${treatment} helped was not seen to the end (${last})`;
    }
  }
}
