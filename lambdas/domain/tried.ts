import { confidences } from './explanation.ts';
import { earlyStops } from './held-back.ts';
import type { RungResult } from './incident-state.ts';

/** What was done to the node so far and what came of it, for whoever decides what is done next: one line each, and more. */
export function triedLines(results: readonly RungResult[]): string[] {
  return results.flatMap((rung) => {
    const { treatment, status, reason, result, verification } = rung;
    const found = verification?.alsoFound ?? [];
    return [
      `${treatment}: ${verification?.verdict ?? status}${reason === undefined ? '' : ` (${reason})`}`,
      ...indented([
        ...(result === undefined ? [] : [countedOn(result)]),
        ...earlyStops(result).map((stop) => `it ended with: ${stop}`),
        ...(verification?.findings ?? []).flatMap(({ fact, value, threshold, speaks }) =>
          speaks === 'for'
            ? []
            : [`against a cure: ${fact} ${value}${threshold === undefined ? '' : `, not ${threshold}`}`],
        ),
        ...(found.length === 0 ? [] : [`found on the way, and not treated: ${confidences(found)}`]),
      ]),
    ];
  });
}

/** What is not on the node as it was, by the treatment's own count. */
function countedOn({ changed, before, after }: NonNullable<RungResult['result']>): string {
  const differences = Object.entries(before).flatMap(([name, was]) =>
    name in after && after[name] !== was ? [`${name} ${String(was)} → ${String(after[name])}`] : [],
  );
  if (differences.length > 0) return `counted on the node just before and after: ${differences.join(', ')}`;
  return changed ? 'it changed the node' : 'it changed nothing';
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
