import { setTimeout as sleep } from 'node:timers/promises';
import { settings } from '../adapters/settings-file.ts';
import type { AuditDraft } from '../domain/audit/entry.ts';
import type { OpenChange, Uncordon } from '../domain/audit/open-changes.ts';
import { type Undone, uncordonedBy } from '../domain/treatments/undo-result.ts';
import { changerFor } from './way-to-changer.ts';

const attempts = 3;

/**
 * Takes back the cordon of an incident, and no other: a node with the name of somebody else on it, or none, is left as it is.
 * Used by the phase and by the janitor, with the same trail.
 */
export async function uncordon(
  change: OpenChange & { undo: Uncordon },
  { incident, cluster, instanceId }: { incident: string; cluster: string; instanceId: string },
  audit: (draft: AuditDraft) => Promise<unknown>,
  actor: AuditDraft['actor'],
): Promise<Undone> {
  const { node } = change.undo.uncordon;
  await audit({
    step: 'undo.intended',
    actor,
    what: `${change.treatment} may have left the node ${node} cordoned; its cordon is about to be taken back`,
    rung: change.rung,
    treatment: change.treatment,
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      const by = changerFor({ cluster, instanceId, incident });
      return uncordonedBy(await by({ do: 'uncordon', node }), node);
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      if (attempt === attempts) {
        return {
          status: 'failed',
          reason: `the node ${node} could not be uncordoned: ${says.slice(0, 500)}`,
        };
      }
      await sleep(settings().command.pollSeconds * attempt * 1000);
    }
  }
}
