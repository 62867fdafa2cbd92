import * as z from 'zod';
import { figureWithLimit } from './explanation.ts';
import type { RungResult } from './incident-state.ts';
import { printable } from './printable.ts';
import type { Rung } from './treatments/treatment.ts';
import { figureOf } from './verification.ts';

/**
 * Why the ladder does not simply go on. broke-off, unseen: nobody knows what a rung has done, or whether it helped. harmed:
 * the node got worse. unsettled: it was not Ready again in time, and its owner can still replace it. pressed: a rung stopped because memory or disks were short, so it was not tried to its end.
 */
export type HeldBack = { rung: RungResult; by: 'broke-off' | 'unseen' | 'harmed' | 'pressed' | 'unsettled' };

/** Why a reclaim ended where it was not done, and in which slice: the words are in docs/reclaim.md. */
export type Stop = { path: string; stopped: string };
const word = z.string().transform((text) => printable(text).slice(0, 200));
const Stops = z.object({ slices: z.array(z.object({ path: word, stopped: word })) });

export function stopsOf(result: RungResult['result']): Stop[] {
  const details = Stops.safeParse(result?.details);
  return details.success ? details.data.slices.filter(({ stopped }) => stopped !== 'done') : [];
}

/** What holds the ladder back, if anything: the last of it, for what was so once in an incident does not pass by another rung. */
export function heldBack(results: readonly RungResult[]): HeldBack | undefined {
  return results
    .flatMap((rung) => {
      const by = holds(rung);
      return by === undefined ? [] : [{ rung, by }];
    })
    .at(-1);
}

function holds({ status, verification, result }: RungResult): HeldBack['by'] | undefined {
  if (result?.details?.settled === false) return 'unsettled';
  if (status === 'failed') return 'broke-off';
  if (verification?.harmed) return 'harmed';
  if (verification?.unseen) return 'unseen';
  return stopsOf(result).some(({ stopped }) => stopped === 'pressure') ? 'pressed' : undefined;
}

/**
 * Whether a rung may still follow. Where nobody knows how the node is, or it got worse, a person is called and nothing else
 * is done. After one that stopped under pressure only what asks a calm node for nothing goes on.
 */
export function mayFollow({ kind, onlyWhenCalm }: Rung, held: HeldBack['by'] | undefined): boolean {
  if (held === undefined || kind === 'notify') return true;
  // A replacement asks the node for nothing.
  if (held === 'unsettled') return kind === 'replace';
  return held === 'pressed' && !onlyWhenCalm;
}

/** For people: what is known of the rung that holds the ladder back. */
export function heldBackSentence(
  { rung: { treatment, reason, verification }, by }: HeldBack,
  plan: readonly Rung[],
): string {
  switch (by) {
    case 'broke-off':
      return `${treatment} broke off (${reason ?? 'no reason given'}), and what it has done is not known`;
    case 'unsettled':
      return `${treatment}: ${reason ?? 'the node has not settled'}`;
    case 'harmed': {
      const worse = (verification?.findings ?? []).filter(({ speaks }) => speaks === 'against');
      return `the node got worse after ${treatment} (${worse.map(figureWithLimit).join('; ')})`;
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
