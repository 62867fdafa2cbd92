/** Seconds until the next look at a command that still runs: twice those until the last, up to the longest of the settings. */
export function nextPollSeconds(
  { maxPollSeconds }: { maxPollSeconds: number },
  waitedSeconds: number,
): number {
  return Math.min(maxPollSeconds, waitedSeconds * 2);
}
