import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type About = { instanceId: string; nodeName: string; cluster: string; at: Date };

export const about: About = {
  instanceId: 'i-0123456789abcdef0',
  nodeName: 'ip-10-0-1-23.ec2.internal',
  cluster: 'prod',
  at: new Date('2026-11-21T06:30:00.123Z'),
};

/** Names of the recorded payloads. The file says where each shape is documented. */
export const payloadNames = globSync('*.json', { cwd: import.meta.dirname }).map((file) =>
  basename(file, '.json'),
);

/** One payload as its source sends it, about the given node. */
export function payload(name: string, { instanceId, nodeName, cluster, at }: About = about) {
  const iso = at.toISOString();
  const text = readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8')
    .replaceAll('@INSTANCE@', instanceId)
    .replaceAll('@NODE@', nodeName)
    .replaceAll('@CLUSTER@', cluster)
    .replaceAll('@AT@', iso.replace('Z', '+0000'))
    .replaceAll('@AT-ISO@', iso)
    .replaceAll('@AT-GO@', iso.replace('T', ' ').replace('Z', '456789 +0000 UTC'));
  return JSON.parse(text).payload;
}
