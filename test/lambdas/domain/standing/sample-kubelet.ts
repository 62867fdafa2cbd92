import type { Evidence } from '../../../../lambdas/domain/evidence/evidence.ts';
import { evidenceWith, ok } from '../sample-evidence.ts';

export const looked = new Date('2026-11-21T06:30:00Z');
const boot = 1_000_000;
/** Hundredths of a second since boot: the kubelet runs for nearly all of its node's life. */
const started = 4100;

type Kubelet = {
  /** Hours of samples before this look, one each quarter of an hour. */
  hours?: number;
  perDayMb?: number;
  nowMb?: number;
  /** What the samples, and this look, say of its start. */
  startedThen?: number | null;
  startedNow?: number | null;
  /** How long the node has been up, in seconds. */
  uptime?: number;
  totalKb?: number;
  /** Minutes from the last sample to this look. */
  silent?: number;
};

/** Evidence of a node whose kubelet grows evenly to what it holds at this look. */
export function evidenceOfKubelet(
  {
    hours = 10,
    perDayMb = 1000,
    nowMb = 1000,
    startedThen = started,
    startedNow = started,
    uptime = boot,
    totalKb = 16_000_000,
    silent = 15,
  }: Kubelet = {},
  probes: Parameters<typeof evidenceWith>[0] = {},
): Evidence {
  const now = looked.getTime() / 1000;
  const samples = Array.from({ length: Math.floor(hours * 4) }, (_, index) => {
    const ago = (Math.floor(hours * 4) - index - 1) * 900 + silent * 60;
    const rssKb = Math.max(0, Math.round((nowMb - (perDayMb * ago) / 86_400) * 1024));
    return [now - ago, 120, 18, 0, 5_000_000, 1, 1, rssKb, startedThen, 12];
  });
  const { host, memory } = evidenceWith().probes;
  return evidenceWith({
    host: ok({ ...(host.status === 'ok' ? host.value : {}), uptimeSeconds: uptime }),
    memory: ok({ ...(memory.status === 'ok' ? memory.value : {}), totalKb }),
    history: ok({ samples, kubelet: [nowMb * 1024, startedNow, 12] }),
    ...probes,
  });
}
