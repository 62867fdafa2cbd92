import { restService, type Service, ServiceError } from './wire.ts';

export type LocalCluster = { endpoint: string; certificateAuthority: string };

/** EKS: where the API server of a cluster is, where one stands in for it. */
export function eksService(clusterNamed: (name: string) => Promise<LocalCluster | undefined>): Service {
  return restService(
    { name: 'eks', file: 'local/cloud/eks.ts' },
    {
      DescribeCluster: {
        route: /^GET \/clusters\/([^/?]+)$/,
        async answer([name = '']) {
          const cluster = await clusterNamed(decodeURIComponent(name));
          if (cluster === undefined) {
            throw new ServiceError('ResourceNotFoundException', `No cluster found for name: ${name}.`, 404);
          }
          return {
            cluster: {
              name,
              status: 'ACTIVE',
              endpoint: cluster.endpoint,
              certificateAuthority: { data: Buffer.from(cluster.certificateAuthority).toString('base64') },
              resourcesVpcConfig: { endpointPublicAccess: true, endpointPrivateAccess: true },
            },
          };
        },
      },
    },
  );
}
