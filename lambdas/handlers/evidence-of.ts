import type { Evidence } from '../domain/evidence/evidence.ts';
import type { Gap } from '../domain/evidence/gaps.ts';
import { readEvidence, type ServicesOutput } from '../domain/evidence/read-evidence.ts';
import type { IncidentState, OneCommand } from '../domain/incident-state.ts';

export type Examined = { evidence: Evidence } | { gap: Gap; rawHead?: string };

/** What the last `collect-evidence` command told us, or the gap that takes its place. */
export function evidenceOf({ command }: IncidentState): Examined {
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
  return read.ok ? { evidence: read.evidence } : { gap: gap(read.error), rawHead: read.rawHead };
}

function servicesOf({ status, output, reason }: OneCommand): ServicesOutput {
  if (status === 'succeeded') return { output: output ?? '' };
  return { gap: reason ?? `collect-services ended as ${status}` };
}

/** The state without the output of its last command: it has been read, and is too big to be carried on. */
export function withoutOutput(state: IncidentState): IncidentState {
  if (state.command === undefined) return state;
  const { output: _, companion: __, ...command } = state.command;
  return { ...state, command };
}

function head(output: string | undefined): { rawHead?: string } {
  if (output === undefined) return {};
  const read = readEvidence(output);
  return read.ok ? {} : { rawHead: read.rawHead };
}
