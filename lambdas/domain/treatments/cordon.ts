import { noEvidence, type Treatment } from './treatment.ts';

/**
 * Keeps new pods off a node for as long as its incident is at work on it: first of all where the kubelet is killed again and again,
 * and every pod that comes makes it worse. Whatever ends the incident takes it back.
 */
export const cordon: Treatment = {
  id: 'cordon',
  kind: 'cordon',
  risk: 'medium',
  disrupts: true,
  treats: ['kubelet-oom-cycle'],

  propose(evidence, { replacement }, { variant }) {
    if (evidence === undefined) return noEvidence;
    if (!replacement.enabled) {
      return {
        nothing:
          'replacement.enabled is false for this cluster: nothing may cordon a node (docs/replacing.md)',
      };
    }
    if (variant === 'settling')
      return { nothing: 'the kubelet runs again and is quiet: new pods do no harm' };
    return {
      arguments: {},
      reason:
        'each pod that comes to a node whose kubelet is killed again and again has it work and hold more; the pods that run there go on. It is taken back when the kubelet has settled, and at the latest when this incident ends',
      expects: { text: 'no new pods come to the node while this incident is at work on it' },
    };
  },
};
