import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { verifyTrail } from '../../lambdas/domain/audit/verify-trail.ts';
import type { CauseId } from '../../lambdas/domain/causes/cause.ts';
import { Settings } from '../../lambdas/domain/settings.ts';
import type { Decider } from '../../local/approvals.ts';
import type { ExecutionEvent } from '../../local/engine/run-state-machine.ts';
import { virtualNode } from '../../local/local-node.ts';
import { type ClusterInput, localCluster, localSettings } from '../../local/local-settings.ts';
import { narrate } from '../../local/narrator.ts';
import { PhaseClock } from '../../local/phases.ts';
import { Progress } from '../../local/progress.ts';
import type { Fault } from '../../local/vm/faults/fault.ts';
import { virtualFaults } from '../../local/vm/faults/index.ts';
import { startTestEngine, type TestEngine, type TestIncident } from '../local/test-engine.ts';
import type { BootedNode } from './booted-node.ts';
import { refresh, stateOf } from './node-state.ts';

/** One incident of a test: the fault, and what differs from the cluster that a run of this fault has. */
export type Plot = { fault: CauseId; cluster?: ClusterInput };

export type NodeIncident = TestIncident & {
  /** The state of the node before there was a fault in it. */
  state: string[];
  /** Figures of the symptom before and after the incident, counted without the medic. */
  symptom: { before: number; after: number };
};

type RunOptions = {
  /** @default yes, whatever is asked for */
  decider?: Decider;
  /** Something else that is wrong with the node; the function returned ends it. */
  beside?: (node: BootedNode) => Promise<() => Promise<void>>;
  /** Called after the incident, while the fault is still there. */
  meanwhile?: (incident: TestIncident) => Promise<void>;
};

/**
 * Incidents on a virtual node: one app for all of them, a cluster for each plot, and a node that is made to have the
 * fault, and freed of it afterwards.
 */
export function incidentsOn<Name extends string>(node: BootedNode, plots: Record<Name, Plot>) {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await startTestEngine(settingsOf(plots));
  });
  afterAll(() => engine?.close());
  afterEach(() => refresh(node));

  return {
    /** Makes the fault, runs the incident to its end, and ends the fault. */
    async run(
      name: Name,
      { decider = async () => ({ decision: 'approve' }), beside, meanwhile }: RunOptions = {},
    ): Promise<NodeIncident> {
      const fault = faultOf(plots[name]);
      const state = await stateOf(node);
      const progress = new Progress(new PhaseClock(), (text) => process.stdout.write(`${name}: ${text}`));
      progress.say('the fault is made', 'prepare');
      await fault.make(node.node);
      const endOther = await beside?.(node);
      const before = await fault.symptom.count(node.node);
      try {
        const props = {
          node: virtualNode({ node: node.node, fault }),
          cluster: name,
          approve: decider,
          onEvent: (event: ExecutionEvent) => narrate(event, progress, 'auto'),
        };
        return await engine.run(props, async (incident) => {
          const trail = incident.auditLines.map((line) => JSON.parse(line));
          expect(verifyTrail(trail, incident.publicKey)).toMatchObject({ ok: true });
          expect(await incident.leaseHolder()).toBeUndefined();
          expect(engine.engine.cloud.unanswered).toEqual([]);
          const after = await fault.symptom.count(node.node);
          progress.say(
            `counted by the test: ${before} ${fault.symptom.what} before, ${after} after`,
            'close',
          );
          await meanwhile?.(incident);
          return { ...incident, state, symptom: { before, after } };
        });
      } finally {
        progress.end();
        await endOther?.();
        await fault.end(node.node);
      }
    },
    stateOf: () => stateOf(node),
  };
}

function faultOf({ fault: cause }: Plot): Fault {
  const fault = virtualFaults[cause];
  if (fault === undefined) throw new Error(`${cause} cannot be made in a virtual node`);
  return fault;
}

function settingsOf(plots: Record<string, Plot>): Settings {
  const clusters = Object.entries(plots).map(([name, plot]) => {
    const { clusters } = localSettings({
      mode: 'auto',
      emulated: true,
      cluster: { ...faultOf(plot).cluster, ...plot.cluster },
    });
    return [name, clusters[localCluster]];
  });
  return Settings.parse({
    ...localSettings({ mode: 'auto', emulated: true }),
    clusters: Object.fromEntries(clusters),
  });
}

/** What became of each rung: its treatment, how it was approved, and the verdict on it. */
export function rungsOf({ record }: TestIncident): string[] {
  return record.rungs.map(({ treatment, status, approval, verification, undo }) =>
    [
      treatment,
      approval?.status,
      verification?.verdict ?? status,
      undo?.status === 'done' ? 'undone' : undefined,
    ]
      .filter((word) => word !== undefined)
      .join(' '),
  );
}
