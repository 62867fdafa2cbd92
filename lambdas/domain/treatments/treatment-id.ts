import * as z from 'zod';

export const TreatmentId = z.enum([
  'notify',
  'reclaim',
  'stop-scopes',
  'enable-linger',
  'restart-logind',
  'prune-containers',
  'contain-sessions',
  'contain-unit',
  'disable-agent',
  'cordon',
  'evict-pods',
  'restart-kubelet',
  'drop-caches',
  'standing-reclaim',
  'standing-restart',
  'replace-node',
]);
export type TreatmentId = z.infer<typeof TreatmentId>;
