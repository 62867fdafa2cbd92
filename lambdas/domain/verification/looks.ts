import type { Cluster } from '../settings.ts';
import type { Signal } from '../treatments/treatment.ts';
import { signals, throttlingSettlesSeconds } from './signals.ts';

/** The first look comes this soon after a treatment at the latest. */
const firstSeconds = 60;
/** The lease outlives no longer wait between two phases (settings lease.seconds). */
const longestWait = 720;

/** When the node is looked at: the seconds before the first look and before each other one. */
export type Looks = { planned: number; first: number; between: number };

/** The looks of a window; more than were asked for where the waits between them would be too long. */
export function looksIn({ windowSeconds, samples }: Cluster['verification']): Looks {
  const first = Math.max(1, Math.min(firstSeconds, Math.floor(windowSeconds / samples)));
  const rest = windowSeconds - first;
  const planned = Math.max(samples, 1 + Math.ceil(rest / longestWait));
  return { planned, first, between: Math.max(1, Math.floor(rest / (planned - 1))) };
}

/** What one look asks the node for. */
export type Look = { profile: 'quick' | 'full'; windowSeconds: string; services: boolean };

/**
 * What look number `index` (from 0) asks for. Most ask only for what the rung promised something of, and leave out what
 * has to be watched for some time. Two ask for everything: the last that falls into the three minutes in which throttling
 * must be over, and the one that is judged by, with every one after it. They can find what else is wrong, too.
 */
export function lookAt(index: number, signal: Signal, { examination, verification }: Cluster): Look {
  const { planned, first, between } = looksIn(verification);
  const early = Math.floor((throttlingSettlesSeconds - first) / between);
  if (index === early || index >= planned - 1) {
    return { profile: 'full', windowSeconds: String(Math.min(2, examination.windowSeconds)), services: true };
  }
  const { asks } = signals[signal];
  const watches = signal === 'throttledRatio';
  return {
    profile: asks === 'full' ? 'full' : 'quick',
    windowSeconds: watches ? String(Math.min(2, examination.windowSeconds)) : '0',
    services: asks === 'services',
  };
}
