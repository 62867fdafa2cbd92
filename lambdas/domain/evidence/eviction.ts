import { quantity } from '../around/quantity.ts';
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

/** `100Mi` or `5%` in KiB; a share needs to be told of what. */
function kbOf(text: string, totalKb = Number.NaN): number | undefined {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  const kb =
    percent === undefined ? (quantity(text) ?? Number.NaN) / 1024 : (totalKb * Number(percent)) / 100;
  return Number.isFinite(kb) ? kb : undefined;
}
