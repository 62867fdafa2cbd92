import { vetoTagOf } from '../adapters/instance-veto.ts';
import { labelOfNode } from '../adapters/node-label.ts';
import { askLabelInVpc } from '../adapters/vpc-reader.ts';
import { within } from '../adapters/within.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import { type VetoRead, vetoGate } from '../domain/gates/veto-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { PhaseContext } from './phase.ts';
import { askCluster } from './way-to-cluster.ts';

/** How long each place may take. They are asked at the same time, and the function has 30 s. */
const limitMs = 15_000;
/** Of these, what the API server has. */
const labelMs = 8000;

type Asked = Pick<PhaseContext, 'cluster' | 'now' | 'logger'>;

/** Asks EC2, and the API server where there is a way to it, whether somebody has marked this node as not to be touched. */
export async function askVeto(
  { incident }: IncidentState,
  rung: Rung,
  { cluster, now, logger }: Asked,
): Promise<GateResult> {
  const { instanceId, cluster: name } = incident;
  const { access } = cluster.api;
  const { key, nodeLabel } = cluster.gates.veto;
  if (rung.kind === 'notify') return vetoGate([], { rung, key });
  const at = async (where: string, asking: Promise<string | null>): Promise<VetoRead> => {
    try {
      return { where, value: await within(limitMs, 'whoever was asked', asking) };
    } catch (error) {
      logger.error('whether there is a veto could not be read', { where, error });
      return { where, problem: problemOf(error) };
    }
  };
  const places = [at('instance', vetoTagOf(instanceId, key))];
  if (access !== 'none' && nodeLabel) {
    const asking = askCluster({
      cluster: name,
      access,
      instanceId,
      now: now(),
      limitMs,
      here: (question, token) => labelOfNode({ ...question, label: key }, token, labelMs),
      inVpc: (lambda, reader, question) => askLabelInVpc(lambda, reader, { ...question, label: key }),
    });
    places.push(
      at(
        'node',
        asking.then(({ value }) => value),
      ),
    );
  }
  return vetoGate(await Promise.all(places), { rung, key });
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  return `${error.name}: ${error.message}`.slice(0, 300);
}
