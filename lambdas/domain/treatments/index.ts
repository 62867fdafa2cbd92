import { containSessions } from './contain-sessions.ts';
import { containUnit } from './contain-unit.ts';
import { cordon } from './cordon.ts';
import { disableAgent } from './disable-agent.ts';
import { dropCaches } from './drop-caches.ts';
import { enableLinger } from './enable-linger.ts';
import { evictPods } from './evict-pods.ts';
import { notify } from './notify.ts';
import { pruneContainers } from './prune-containers.ts';
import { reclaim, reclaimOnceStopped } from './reclaim.ts';
import { replaceNode } from './replace-node.ts';
import { restartKubelet } from './restart-kubelet.ts';
import { restartLogind } from './restart-logind.ts';
import { standingReclaim } from './standing-reclaim.ts';
import { standingRestart } from './standing-restart.ts';
import { stopScopes } from './stop-scopes.ts';
import type { Treatment } from './treatment.ts';

/** Every treatment, gentlest first: the order of this list is the order of every ladder; `notify` comes last. */
export const treatments: readonly Treatment[] = [
  reclaim,
  stopScopes,
  enableLinger,
  restartLogind,
  containSessions,
  containUnit,
  pruneContainers,
  disableAgent,
  cordon,
  evictPods,
  restartKubelet,
  reclaimOnceStopped,
  standingReclaim,
  standingRestart,
  dropCaches,
  replaceNode,
  notify,
];
