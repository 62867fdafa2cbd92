import { dyingBelow, type Fault, shell, untilDying } from './fault.ts';

/** Dying cgroups to begin with. */
const enough = 80;

/** A host agent that nothing needs, that crashes at once and is started again, and leaves a dying cgroup each time. */
export const orphanedAgent: Fault = {
  about:
    'flaky-agent.service, which nothing needs, crashes and is started again and again; each start leaves a dying cgroup',
  cluster: { thresholds: { dyingFloor: 50 } },
  symptom: dyingBelow('/system.slice'),

  async make(node, signal) {
    await shell(node, `systemctl start flaky-agent; ${untilDying('/system.slice', enough)}`, signal);
  },

  async end(node) {
    await shell(node, 'systemctl stop flaky-agent; rm -rf /var/lib/flaky-agent');
  },
};
