import type { Evidence } from './evidence.ts';
import { probeValue } from './probe.ts';

/** What the kubelet evicts pods for: less memory available than this, in KiB, and where that is said. */
export type Eviction = { kb: number; source: string };

/** The kubelet's own, where its configuration sets no hard eviction at all; EKS sets the same. */
const byDefault = '100Mi';
const signal = 'memory.available';

/**
 * The hard eviction threshold of this very node. `undefined` where its configuration was not read, or says it in a way
 * that cannot be understood; 0 where it evicts for other things only.
 */
export function hardEviction(evidence: Evidence): Eviction | undefined {
  const config = probeValue(evidence.probes.kubelet)?.config;
  const totalKb = probeValue(evidence.probes.memory)?.totalKb;
  if (config?.evictionHard == null) return undefined;
  const set = config.evictionHard[signal];
  if (set === undefined && Object.keys(config.evictionHard).length > 0) {
    return { kb: 0, source: `evictionHard of the kubelet without ${signal}` };
  }
  const kb = kbOf(set ?? byDefault, totalKb);
  const source =
    set === undefined ? `default of the kubelet, ${byDefault}` : `evictionHard of the kubelet, ${set}`;
  return kb === undefined ? undefined : { kb, source };
}

const kbPer: Readonly<Record<string, number>> = {
  '': 1 / 1024,
  k: 1000 / 1024,
  M: 1e6 / 1024,
  G: 1e9 / 1024,
  Ki: 1,
  Mi: 1024,
  Gi: 1024 ** 2,
};

/** `100Mi` or `5%` in KiB; a share needs to be told of what. */
export function kbOf(text: string, totalKb?: number): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)(%|[KMG]i|[kMG])?$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  if (unit === '%') return totalKb === undefined ? undefined : (totalKb * Number(digits)) / 100;
  const scale = kbPer[unit];
  return scale === undefined ? undefined : Number(digits) * scale;
}
