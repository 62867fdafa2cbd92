import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { standIns, standInsOf } from './stand-in-systemd.ts';

/** One container as `crictl ps -o json` and `crictl inspect` describe it. */
export type StandInContainer = {
  id: string;
  sandbox?: string;
  name?: string;
  state?: 'RUNNING' | 'EXITED' | 'CREATED' | 'UNKNOWN';
  createdSecondsAgo?: number;
  finishedSecondsAgo?: number;
  annotations?: Record<string, string>;
  /** What `inspect` says instead. */
  inspected?: { state?: string; id?: string; finishedAt?: string };
};

export type StandInRuntime = {
  add(...containers: StandInContainer[]): void;
  /** The ids of the containers that are there. */
  ids(): string[];
  /** The calls that were not questions, one a line. */
  calls(): string[];
  hang(...commands: string[]): void;
  fail(...commands: string[]): void;
  /** What `crictl ps` prints, whatever containers there are. */
  say(text: string): void;
  close(): void;
};

/** 64 hexadecimal digits, as a runtime names containers and sandboxes. */
export function runtimeId(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const crictl = `
while [[ "$1" == --* ]]; do shift 2; done
cd "$root/runtime" || exit 1
case "$1" in
  ps)
    if [[ -e said ]]; then cat said; exit; fi
    printf '{"containers": ['
    first=1
    for file in listed/*; do [[ -e "$file" ]] || continue; ((first)) || printf ','; first=0; cat "$file"; done
    printf ']}\\n'
    ;;
  inspect) cat "inspected/\${!#}" ;;
  rm)
    [[ "$#" == 2 && -e "listed/$2" ]] || { echo "no such container" >&2; exit 1; }
    rm "listed/$2" "inspected/$2"
    echo "$2"
    ;;
  *) echo "stand-in: unknown command $1" >&2; exit 1 ;;
esac
`;

/** A stand-in for crictl in a node's folder, for what no real runtime does on demand: lie, hang, fail. */
export function standInRuntime(root: string): StandInRuntime {
  standIns(root).install('crictl', crictl);
  for (const name of ['listed', 'inspected']) mkdirSync(join(root, 'runtime', name), { recursive: true });
  mkdirSync(join(root, 'run/containerd'), { recursive: true });
  const server = createServer().listen(join(root, 'run/containerd/containerd.sock')).unref();
  const runtime = standInRuntimeOf(root);
  return {
    ...runtime,
    close: () => {
      server.close();
      runtime.close();
    },
  };
}

/** The one that is in the folder already: of a copy. */
export function standInRuntimeOf(root: string): StandInRuntime {
  const commands = standInsOf(root);
  const folder = (name: string) => join(root, 'runtime', name);
  const add = (container: StandInContainer) => {
    const now = Date.now();
    const {
      id,
      name = 'app',
      sandbox = runtimeId('sandbox'),
      state = 'EXITED',
      createdSecondsAgo = 100_000,
      finishedSecondsAgo = createdSecondsAgo - 10,
      annotations = {},
      inspected = {},
    } = container;
    const metadata = { name, attempt: 0 };
    const labels = { 'io.kubernetes.pod.name': 'web-1', 'io.kubernetes.pod.namespace': 'shop' };
    const listed = {
      id,
      podSandboxId: sandbox,
      metadata,
      image: { image: 'sha256:1', annotations: {} },
      state: `CONTAINER_${state}`,
      createdAt: String(BigInt(now - createdSecondsAgo * 1000) * 1_000_000n),
      labels,
      annotations,
    };
    const time = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString();
    writeFileSync(join(folder('listed'), id), JSON.stringify(listed, undefined, 2));
    writeFileSync(
      join(folder('inspected'), id),
      JSON.stringify({
        status: {
          id,
          metadata,
          state: `CONTAINER_${state}`,
          createdAt: time(createdSecondsAgo),
          finishedAt: time(finishedSecondsAgo).replace('Z', '123456+00:00'),
          labels,
          annotations,
          ...inspected,
        },
        info: { runtimeSpec: { process: { env: ['TOKEN=hush', '"status":{"state":"CONTAINER_RUNNING"}'] } } },
      }),
    );
  };
  return {
    add: (...containers) => {
      for (const container of containers) add(container);
    },
    ids: () => readdirSync(folder('listed')).sort(),
    calls: () =>
      existsSync(join(root, 'calls'))
        ? readFileSync(join(root, 'calls'), 'utf8')
            .split('\n')
            .filter((line) => /crictl .* rm /.test(line))
        : [],
    hang: commands.hang,
    fail: commands.fail,
    say: (text) => writeFileSync(folder('said'), text),
    close: () => rmSync(folder('listed'), { recursive: true, force: true }),
  };
}
