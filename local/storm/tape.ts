import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedNode } from '../cloud/ssm.ts';
import { openRecordedNode, type RecordedNode } from '../node/recorded-node.ts';
import type { AgentDocument } from '../node/ssm-agent.ts';
import type { FleetNode } from './fleet.ts';

type Output = Awaited<ReturnType<ManagedNode['run']>>;
type Parameters = Readonly<Record<string, string>>;
type Run = { document: string; content: AgentDocument; parameters: Parameters };
type Sample = { node: RecordedNode; history: string };

/** A healthy recorded node, which one that recovers by itself is like. */
const healthy = 'healthy';
/** The slowest node takes so much longer to answer than the quickest. */
const slowestMs = 1500;
/** Parameters that name the incident and not what is done. */
const ofIncident = ['incident', 'fencing'];
const anIncident = 'storm-sample';

/**
 * What a fleet answers: outputs of the real documents, which run for real on a few recorded nodes, each the first time that one of
 * the fleet is asked the same after the same treatments; all others get what was recorded then, with their own ids.
 */
export class Tape {
  readonly #sample: string;
  /** Short names of the documents, by what SSM hands to an agent. */
  readonly #names: ReadonlyMap<unknown, string>;
  readonly #recorded = new Map<string, Promise<Output & { bootId: string }>>();
  readonly #samples: Sample[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(sample: string, documents: readonly { name: string; content: unknown }[]) {
    this.#sample = sample;
    this.#names = new Map(documents.map(({ name, content }) => [content, name]));
  }

  /** How many outputs were recorded, and on how many sample nodes. */
  get figures(): { outputs: number; samples: number } {
    return { outputs: this.#recorded.size, samples: this.#samples.length };
  }

  /** The agent of one node of the fleet. */
  agentOf(node: FleetNode): ManagedNode['run'] {
    const history: Run[] = [];
    const asked = new Map<string, number>();
    const seen = new Set<string>();
    return async (content, parameters, signal) => {
      const document = this.#names.get(content) ?? '';
      if (document === '') throw new Error('a document that the stack does not have was sent to a node');
      const run = { document, content, parameters };
      const looks = document.startsWith('collect-');
      const source = node.fate === 'recovering' && looks && seen.has(document) ? healthy : this.#sample;
      seen.add(document);
      // What was done to a stubborn node does not show in it.
      const before = looks && node.fate === 'stubborn' ? [] : [...history];
      const what = `${source} ${historyOf(before)} ${keyOf(run)}`;
      const ordinal = (asked.get(what) ?? 0) + 1;
      asked.set(what, ordinal);
      const output = await this.#output(`${what} ${ordinal}`, source, source === healthy ? [] : before, run);
      if (!looks) history.push(run);
      await sleep(node.pace * slowestMs, undefined, { signal }).catch(() => {});
      return { ...output, stdout: asOf(output.stdout, output.bootId, node, parameters) };
    };
  }

  async close(): Promise<void> {
    await this.#last;
    await Promise.all(this.#samples.map(({ node }) => node.close()));
  }

  #output(
    key: string,
    source: string,
    before: readonly Run[],
    run: Run,
  ): Promise<Output & { bootId: string }> {
    const known = this.#recorded.get(key);
    if (known !== undefined) return known;
    // One at a time: they share their sample nodes, and this machine.
    const recorded = this.#last.then(() => this.#record(source, before, run));
    this.#last = recorded.catch(() => {});
    this.#recorded.set(key, recorded);
    return recorded;
  }

  async #record(source: string, before: readonly Run[], run: Run): Promise<Output & { bootId: string }> {
    const history = historyOf(before);
    const known = this.#samples.find(({ node, history: has }) => node.name === source && has === history);
    const sample = known ?? (await this.#open(source, before));
    const output = await runOn(sample.node, run);
    if (!run.document.startsWith('collect-')) sample.history = historyOf([...before, run]);
    const bootId = readFileSync(join(sample.node.root, 'proc/sys/kernel/random/boot_id'), 'utf8').trim();
    return { ...output, bootId };
  }

  /** A sample to which the same was done. */
  async #open(source: string, before: readonly Run[]): Promise<Sample> {
    const sample: Sample = { node: await openRecordedNode(source), history: historyOf(before) };
    this.#samples.push(sample);
    for (const run of before) await runOn(sample.node, run);
    return sample;
  }
}

function runOn(node: RecordedNode, { content, parameters }: Run): Promise<Output> {
  return node.run({ content, parameters: withIncident(parameters, anIncident) });
}

function withIncident(parameters: Parameters, incident: string): Record<string, string> {
  return {
    ...parameters,
    ...(parameters.incident === undefined ? {} : { incident }),
    ...(parameters.fencing === undefined ? {} : { fencing: '1' }),
  };
}

function keyOf({ document, parameters }: Run): string {
  const own = Object.entries(parameters).filter(([name]) => !ofIncident.includes(name));
  return `${document} ${JSON.stringify(own.sort())}`;
}

function historyOf(runs: readonly Run[]): string {
  return createHash('sha256').update(runs.map(keyOf).join('\n')).digest('hex').slice(0, 12);
}

/** An output of a sample as this node would have printed it. */
function asOf(stdout: string, bootId: string, node: FleetNode, { incident }: Parameters): string {
  const own = stdout.replaceAll(bootId, node.bootId);
  return incident === undefined ? own : own.replaceAll(anIncident, incident);
}
