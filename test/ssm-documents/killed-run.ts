import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs of a document that are killed, with their whole process group, just before their N-th command. */
export type Killer = {
  /** The environment in which a run is killed at its `at`-th command. */
  killAt(at: number): Record<string, string>;
  /** The environment in which a run lists its commands, and the list when it has ended. */
  list(): { env: Record<string, string>; commands(): string[] };
  close(): void;
};

export function killer(): Killer {
  const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-killer-'));
  const script = join(folder, 'killer.sh');
  const listed = join(folder, 'commands');
  // Sourced by bash before the document.
  writeFileSync(
    script,
    `[[ "$0" == *_script_0.sh ]] || return 0
set -o functrace
killer_count=0
killer_step() {
  killer_count=$((killer_count + 1))
  if [[ -n "\${KILL_LIST:-}" ]]; then
    printf '%s\\n' "\${1%%$'\\n'*}" >>"$KILL_LIST"
  elif ((killer_count == KILL_AT)); then
    kill -KILL 0
  fi
}
trap 'killer_step "$BASH_COMMAND"' DEBUG
`,
  );
  return {
    killAt: (at) => ({ BASH_ENV: script, KILL_AT: String(at) }),
    list: () => ({
      env: { BASH_ENV: script, KILL_LIST: listed },
      commands: () => readFileSync(listed, 'utf8').trimEnd().split('\n'),
    }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs `each` for every item, so many at the same time. */
export async function inParallel<Item, Outcome>(
  items: readonly Item[],
  atOnce: number,
  each: (item: Item) => Promise<Outcome>,
): Promise<Outcome[]> {
  const waiting = [...items];
  const outcomes: Outcome[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        outcomes.push(await each(next));
      }
    }),
  );
  return outcomes;
}
