import { confidences, figureWithLimit } from './explanation.ts';
import { type Stop, stopsOf } from './held-back.ts';
import type { RungResult, TreatmentResult } from './incident-state.ts';
import { printable } from './printable.ts';

/** What was done to the node so far and what came of it, for whoever decides what is done next: one line each, and more. */
export function triedLines(results: readonly RungResult[]): string[] {
  return results.flatMap(({ treatment, status, reason, result, verification }) => {
    const found = verification?.alsoFound ?? [];
    const against = (verification?.findings ?? []).filter(({ speaks }) => speaks === 'against');
    const more = [
      ...(result === undefined ? [] : [countedOn(result)]),
      ...stopsOf(result).map(stopSentence),
      ...against.map((finding) => `against a cure: ${figureWithLimit(finding)}`),
      ...(found.length === 0 ? [] : [`found on the way, and not treated: ${confidences(found)}`]),
    ];
    return [
      `${treatment}: ${verification?.verdict ?? status}${reason === undefined ? '' : ` (${reason})`}`,
      ...more.map((line) => `  ${line}`),
    ];
  });
}

export function stopSentence({ path, stopped }: Stop): string {
  return `it ended with: ${stopped} (${path})`;
}

/** What is not on the node as it was, by the treatment's own count; empty where all of it is. */
export function differences(before: TreatmentResult['before'], after: TreatmentResult['after']): string {
  return Object.entries(before)
    .flatMap(([name, was]) =>
      name in after && after[name] !== was
        ? [printable(`${name} ${was} → ${after[name]}`).slice(0, 400)]
        : [],
    )
    .join(', ');
}

function countedOn({ changed, before, after }: TreatmentResult): string {
  const changes = differences(before, after);
  if (changes !== '') return `counted on the node just before and after: ${changes}`;
  return changed ? 'it changed the node' : 'it changed nothing';
}
