import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PhaseClock } from '../../local/phases.ts';
import { Progress } from '../../local/progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** At which seconds of a wait of so many it was said what is being waited for. */
function reminders(seconds: number, event?: { at: number; wait: string }) {
  const said: number[] = [];
  const started = performance.now();
  const progress = new Progress(new PhaseClock(), (text) => {
    if (text.includes('still waiting')) said.push(Math.round((performance.now() - started) / 1000));
  });
  progress.waitFor('the node');
  if (event !== undefined) setTimeout(() => progress.waitFor(event.wait), event.at * 1000);
  vi.advanceTimersByTime(seconds * 1000);
  progress.end();
  vi.advanceTimersByTime(600_000);
  return said;
}

describe('progress', () => {
  it('says what is being waited for after 5 s, and then ever less often, but every minute', () => {
    expect(reminders(240)).toEqual([5, 15, 35, 75, 135, 195]);
  });

  it('begins anew with each wait, and says nothing where nothing is waited for', () => {
    expect(reminders(60, { at: 36, wait: 'another' })).toEqual([5, 15, 35, 40, 50]);
    expect(reminders(60, { at: 6, wait: '' })).toEqual([5]);
  });
});
