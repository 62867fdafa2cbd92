import { describeTags } from './ec2-query.ts';
import { nodeNamesOf } from './instance-names.ts';

/** Names that the node of an instance may have, and the tags by which its owner is known. Throws as `ec2Query`. */
export async function identityOf(
  instanceId: string,
): Promise<{ names: string[]; tags: Record<string, string> }> {
  const [names, tags] = await Promise.all([
    nodeNamesOf(instanceId),
    describeTags({ 'resource-id': [instanceId] }),
  ]);
  const own = tags.filter(({ resourceId }) => resourceId === instanceId);
  return { names, tags: Object.fromEntries(own.map(({ key, value }) => [key, value])) };
}
