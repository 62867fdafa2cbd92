import type { Probe } from '../evidence/probe.ts';
import { printable } from '../printable.ts';

/** A part of what was asked: its value, or why there is none. */
export type Read<T> = { value: T; partial?: string } | { gap: string };

/** A name or a reason that somebody else has given, as long as the evidence takes one: `name` in evidence/number.ts. */
export function given(text: string): string {
  return printable(text.slice(0, 400));
}

/** A probe that was asked for and not answered. */
export function failed(reason: string): { status: 'failed'; reason: string } {
  return { status: 'failed', reason: reason.slice(0, 500) };
}

/** A probe of something that does not exist here, or that nobody is to ask. */
export function missing(reason: string): { status: 'missing'; reason: string } {
  return { status: 'missing', reason: reason.slice(0, 500) };
}

/** The same, and whoever asks knows that there is nothing to be had: no gap hides what it would have told. */
export function notHere(reason: string): { status: 'missing'; reason: string; byDesign: true } {
  return { ...missing(reason), status: 'missing', byDesign: true };
}

/** The gaps among the parts of a probe, as its `notRead`: what was not read, and what was read in part only. */
export function notReadOf(parts: Readonly<Record<string, Read<unknown>>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, read]) => {
      const reason = 'gap' in read ? read.gap : read.partial;
      return reason === undefined ? [] : [[part, reason.slice(0, 500)]];
    }),
  );
}

/** A probe made of one part. */
export function probeFrom<T, V>(read: Read<T>, make: (value: T) => V): Probe<V> {
  return 'gap' in read ? failed(read.gap) : { status: 'ok', value: make(read.value) };
}
