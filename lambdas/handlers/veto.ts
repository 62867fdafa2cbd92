import { vetoTagOf } from '../adapters/instance-veto.ts';
import { within } from '../adapters/within.ts';
import type { GateResult } from '../domain/gates/gate.ts';
import { type VetoRead, vetoGate } from '../domain/gates/veto-gate.ts';
import type { IncidentState } from '../domain/incident-state.ts';
import type { Rung } from '../domain/treatments/treatment.ts';
import type { MarksRead } from './marks.ts';
import type { PhaseContext } from './phase.ts';
import { problemOf } from './problem-of.ts';

/** The function has 30 s, and other gates to ask at the same time. */
const limitMs = 15_000;

/**
 * Asks EC2 whether somebody has marked this instance as not to be touched, and looks for the same on its node.
 *
 * @param reading what the API server says of the node
 */
export async function askVeto(
  { incident }: IncidentState,
  rung: Rung,
  { cluster, logger }: Pick<PhaseContext, 'cluster' | 'logger'>,
  reading: Promise<MarksRead>,
): Promise<GateResult> {
  const { key, nodeLabel } = cluster.gates.veto;
  if (rung.kind === 'notify') return vetoGate([], { rung, key });
  const [instance, marks] = await Promise.all([tagRead(incident.instanceId, key, logger), reading]);
  const node = nodeLabel ? labelRead(marks) : undefined;
  return vetoGate(node === undefined ? [instance] : [instance, node], { rung, key });
}

async function tagRead(
  instanceId: string,
  key: string,
  logger: Pick<PhaseContext['logger'], 'error'>,
): Promise<VetoRead> {
  const where = 'instance';
  try {
    return { where, value: await within(limitMs, 'EC2', vetoTagOf(instanceId, key)) };
  } catch (error) {
    logger.error('whether there is a veto could not be read', { error });
    return { where, problem: problemOf(error) };
  }
}

/** `undefined` where the settings open no way to the API server: then nobody can have meant the label. */
function labelRead(marks: MarksRead): VetoRead | undefined {
  if ('notAsked' in marks) return undefined;
  const where = 'node';
  return 'gap' in marks ? { where, problem: marks.gap } : { where, value: marks.label };
}
