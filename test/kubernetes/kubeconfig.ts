import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const Cluster = z.object({
  server: z.url({ protocol: /^https$/ }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
});
const User = z.object({
  token: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
});
const Kubeconfig = z.object({
  'current-context': z.string(),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(z.object({ name: z.string(), cluster: Cluster })),
  users: z.array(z.object({ name: z.string(), user: User })),
});

/** Who is asked, and by whom. The API server is known by a certificate authority, and the user by a token or a certificate. */
export type Admin = {
  server: string;
  ca: string;
  token?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
};

/** Reads the current context of a kubeconfig. A user whom a command makes known (as on EKS) is none here. */
export function readKubeconfig(path: string): Admin {
  const config = Kubeconfig.parse(parse(readFileSync(path, 'utf8')));
  const text = (data: string | undefined, file: string | undefined): string | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return file === undefined ? undefined : readFileSync(resolve(dirname(path), file), 'utf8');
  };
  const find = <T extends { name: string }>(all: readonly T[], name: string): T => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${path} has nothing of the name ${name}`);
    return found;
  };
  const { context } = find(config.contexts, config['current-context']);
  const { cluster } = find(config.clusters, context.cluster);
  const { user } = find(config.users, context.user);
  const ca = text(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = text(user['client-certificate-data'], user['client-certificate']);
  const key = text(user['client-key-data'], user['client-key']);
  if (ca === undefined)
    throw new Error(`the cluster ${context.cluster} in ${path} has no certificate-authority`);
  if (user.token === undefined && (cert === undefined || key === undefined))
    throw new Error(`the user ${context.user} in ${path} has neither a token nor a client certificate`);
  return { server: cluster.server, ca, token: user.token, cert, key };
}
