import { clusterTag } from '../../lambdas/adapters/instance-cluster.ts';
import type { Datum } from './cloudwatch.ts';
import type { ManagedNode } from './ssm.ts';

/** The courses that were recorded of a node, as points up to now. */
export function recordedMetrics({ instanceId, tags = {}, around }: ManagedNode): Datum[] {
  const now = Date.now();
  const shared = { ClusterName: tags[clusterTag] ?? '', InstanceId: instanceId };
  return (around?.metrics ?? []).flatMap((course) => {
    const { namespace, name, dimensions, hours, everySeconds, from, to } = course;
    const steps = Math.floor((hours * 3600) / everySeconds);
    return Array.from({ length: steps + 1 }, (_, step) => ({
      namespace,
      name,
      dimensions: { ...shared, ...dimensions },
      at: now - (steps - step) * everySeconds * 1000 - 1000,
      value: from + ((to - from) * step) / steps,
    }));
  });
}
