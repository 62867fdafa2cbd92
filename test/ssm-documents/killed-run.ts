import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DocumentResult } from '../../local/node/ssm-agent.ts';

/** A place between two commands of a document, where it can be killed. */
export type Step = {
  /** The lines of the calls that lead here, and how often they have: the same in every run. */
  id: string;
  command: string;
  /** Differs from that of the step before if a file of the node has changed between the two. */
  tree: string;
};

/** Runs of a document that are killed, with their whole process group, just before one of their commands. */
export type Killer = {
  /** The environment in which a run is killed at this step. */
  killAt(step: Pick<Step, 'id'>): Record<string, string>;
  /** The environment in which a run lists its steps, and the list when it has ended. */
  list(): { env: Record<string, string>; steps(): Step[] };
  close(): void;
};

export function killer(): Killer {
  const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-killer-'));
  const script = join(folder, 'killer.sh');
  // Sourced by bash before the document. A subshell counts for itself, after the step that has begun it.
  writeFileSync(
    script,
    `[[ "$0" == *_script_0.sh ]] || return 0
set -o functrace
declare -A killer_seen=()
killer_pid="$BASHPID" killer_path='' killer_id='' killer_busy=''
killer_step() {
  [[ -z "$killer_busy" ]] || return 0
  if [[ "$BASHPID" != "$killer_pid" ]]; then
    killer_pid="$BASHPID" killer_path="$killer_id/"
    killer_seen=()
  fi
  local at="\${BASH_LINENO[*]}"
  killer_seen[$at]=$((\${killer_seen[$at]:-0} + 1))
  killer_id="$killer_path$at#\${killer_seen[$at]}"
  if [[ -z "\${KILL_LIST:-}" ]]; then
    if [[ "$killer_id" == "$KILL_AT" ]]; then kill -KILL 0; fi
    return 0
  fi
  killer_busy=1
  # Without the log of the stand-ins, which questions change, too. No time of access: reading is no change.
  local tree="$({ find "$CGROUP_MEDIC_ROOT" ! -name calls -printf '%P %i %m %s %l %T@ %C@\\n' 2>/dev/null || true; } | cksum)"
  printf '%s\\t%s\\t%s\\n' "$killer_id" "$tree" "\${1%%$'\\n'*}" >>"$KILL_LIST"
  killer_busy=''
}
trap 'killer_step "$BASH_COMMAND"' DEBUG
`,
  );
  let lists = 0;
  return {
    killAt: ({ id }) => ({ BASH_ENV: script, KILL_AT: id }),
    list: () => {
      const listed = join(folder, `steps-${lists++}`);
      return {
        env: { BASH_ENV: script, KILL_LIST: listed },
        steps: () =>
          readFileSync(listed, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => {
              const [id = '', tree = '', command = ''] = line.split('\t');
              return { id, tree, command };
            }),
      };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * The first step, and every one before which a file of the node has changed, as the shell sees it that runs this step. A
 * run that is killed at another step leaves the node just as it does at the last of these before it.
 */
export function statesOf(steps: readonly Step[]): Step[] {
  const seen = new Map<string, string>();
  return steps.filter(({ id, tree }) => {
    const shell = id.slice(0, id.lastIndexOf('/') + 1);
    // A shell that has only just begun has seen what the one has that began it.
    const parent = shell.slice(0, shell.lastIndexOf('/', shell.length - 2) + 1);
    const before = seen.get(shell) ?? seen.get(parent);
    seen.set(shell, tree);
    return before !== tree;
  });
}

type Killed<Node, Outcome> = {
  /** A node as it is before the run, the same every time. */
  open: () => Node | Promise<Node>;
  run: (node: Node, env: Record<string, string>) => Promise<DocumentResult>;
  /** What is left of it, and what becomes of that. */
  look: (node: Node, step: Step) => Outcome | Promise<Outcome>;
};

/** Kills a document in every state that it leaves the node in between two of its commands. */
export async function killEverywhere<Node extends { close(): void }, Outcome>(
  { open, run, look }: Killed<Node, Outcome>,
  { atOnce = 4 } = {},
): Promise<{ states: Step[]; outcomes: Outcome[] }> {
  const kill = killer();
  try {
    const list = kill.list();
    const listed = await open();
    try {
      await run(listed, list.env);
    } finally {
      listed.close();
    }
    const states = statesOf(list.steps());
    const outcomes = await inParallel(states, atOnce, async (step) => {
      const node = await open();
      try {
        const { status, stderr } = await run(node, kill.killAt(step));
        if (status !== 'TimedOut')
          throw new Error(`the run was not killed before "${step.command}" (${step.id}): ${stderr}`);
        return await look(node, step);
      } finally {
        node.close();
      }
    });
    return { states, outcomes };
  } finally {
    kill.close();
  }
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
