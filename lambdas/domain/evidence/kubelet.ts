import * as z from 'zod';
import { count, kb, NotRead, name, unknownOr } from './number.ts';

const settings = z.record(name, name);

export const Kubelet = z.object({
  unit: name,
  active: name,
  sub: name,
  result: name,
  /** Exit status of its last process; 9 where a kill ended it. */
  execMainStatus: unknownOr(count),
  /** Automatic restarts by systemd; `null` before systemd 235. */
  restarts: unknownOr(count),
  memoryKb: unknownOr(kb),
  memoryMaxKb: unknownOr(kb),
  memoryHighKb: unknownOr(kb),
  startedSecondsAgo: unknownOr(z.int()),
  rssKb: unknownOr(kb),
  version: unknownOr(name),
  /** Status of its health endpoint on the loopback. */
  healthz: unknownOr(count),
  /** From its configuration file and drop-ins, never from its command line. */
  config: unknownOr(
    z.object({
      file: name,
      featureGates: settings,
      evictionHard: settings,
      evictionSoft: settings,
      kubeReserved: settings,
      systemReserved: settings,
      flags: settings,
    }),
  ),
  /** Lines of its journal in the time that the probe `journal` covers. */
  journal: unknownOr(z.object({ cgroupDeleteFailed: count, pleg: count, criDeadline: count })),
  notRead: NotRead,
});
