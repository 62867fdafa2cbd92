import { withAround, withoutNode } from '../domain/around/join.ts';
import { failed } from '../domain/around/read.ts';
import { type AroundProbes, aroundProbes } from '../domain/evidence/around-probes.ts';
import type { Evidence } from '../domain/evidence/evidence.ts';
import type { Gap } from '../domain/evidence/gaps.ts';
import { readEvidence, type ServicesOutput } from '../domain/evidence/read-evidence.ts';
import type { IncidentState, OneCommand } from '../domain/incident-state.ts';

export type Examined = { evidence: Evidence } | { gap: Gap; rawHead?: string };

/** What the last `collect-evidence` command told us, with what is known around the node; or the gap that takes its place. */
export function evidenceOf(state: IncidentState): Examined {
  const { command } = state;
  const gap = (reason: string): Gap => ({ probe: 'evidence', reason });
  if (command === undefined) return { gap: gap('the node was not examined') };
  if (command.status !== 'succeeded') {
    return {
      gap: gap(command.reason ?? `the examination ended as ${command.status}`),
      ...head(command.output),
    };
  }
  const { companion } = command;
  const read = readEvidence(command.output ?? '', companion && servicesOf(companion));
  return read.ok
    ? { evidence: withAround(read.evidence, aroundOf(state)) }
    : { gap: gap(read.error), rawHead: read.rawHead };
}

/** What there is where the node did not answer: what is known around it, or `undefined` where that is nothing. */
export function evidenceAround(state: IncidentState, { reason }: Gap, now: Date): Evidence | undefined {
  return withoutNode(reason.slice(0, 500), aroundOf(state), now);
}

/** What is known around the node; gaps where the function that asks has itself failed. */
export function aroundOf({ around, aroundError }: IncidentState): AroundProbes | undefined {
  if (aroundError === undefined) return around;
  const reason = `the look around the node broke: ${aroundError.Error ?? 'an error'}: ${aroundError.Cause ?? 'no cause given'}`;
  return Object.fromEntries(aroundProbes.map((name) => [name, failed(reason)])) as AroundProbes;
}

function servicesOf({ status, output, reason }: OneCommand): ServicesOutput {
  if (status === 'succeeded') return { output: output ?? '' };
  return { gap: reason ?? `collect-services ended as ${status}` };
}

/** The state without the output of its last command and of the look around: they have been read, and are too big to be carried on. */
export function withoutOutput(state: IncidentState): IncidentState {
  const { around: _, aroundError: __, ...rest } = state;
  if (rest.command === undefined) return rest;
  const { output: ___, companion: ____, ...command } = rest.command;
  return { ...rest, command };
}

function head(output: string | undefined): { rawHead?: string } {
  if (output === undefined) return {};
  const read = readEvidence(output);
  return read.ok ? {} : { rawHead: read.rawHead };
}
