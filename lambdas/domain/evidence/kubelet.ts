import * as z from 'zod';
import { count, kb, NotRead, name, unknownOr } from './number.ts';

const settings = unknownOr(z.record(name, name));

export const Kubelet = z.object({
  unit: unknownOr(name),
  active: unknownOr(name),
  sub: unknownOr(name),
  result: unknownOr(name),
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
      file: unknownOr(name),
      featureGates: settings,
      evictionHard: settings,
      evictionSoft: settings,
      kubeReserved: settings,
      systemReserved: settings,
      flags: settings,
    }),
  ),
  /** Lines of its journal in the time that the probe `journal` covers. */
  journal: unknownOr(
    z.object({
      cgroupDeleteFailed: unknownOr(count),
      pleg: unknownOr(count),
      criDeadline: unknownOr(count),
      /** A list of the runtime was larger than what gRPC lets through (16 MiB). */
      listTooLarge: unknownOr(count),
    }),
  ),
  notRead: NotRead,
});
