import { restService, type Service, ServiceError } from './wire.ts';

export type LocalCluster = { endpoint: string; certificateAuthority: string };

/** A managed node group, as far as anybody asks about it. */
export type LocalNodeGroup = {
  status: string;
  health?: { issues: { code: string }[] };
  nodeRepairConfig?: { enabled: boolean };
};

/** EKS: where the API server of a cluster is, where one stands in for it. */
export function eksService(
  clusterNamed: (name: string) => Promise<LocalCluster | undefined>,
  nodeGroupNamed: (name: string) => Promise<LocalNodeGroup | undefined> = async () => undefined,
): Service {
  return restService(
    { name: 'eks', file: 'local/cloud/eks.ts' },
    {
      DescribeNodegroup: {
        route: /^GET \/clusters\/([^/?]+)\/node-groups\/([^/?]+)$/,
        async answer([cluster = '', name = '']) {
          const found = await nodeGroupNamed(decodeURIComponent(name));
          if (found === undefined) {
            throw new ServiceError(
              'ResourceNotFoundException',
              `No node group found for name: ${decodeURIComponent(name)}.`,
              404,
            );
          }
          return {
            nodegroup: {
              clusterName: decodeURIComponent(cluster),
              nodegroupName: decodeURIComponent(name),
              ...found,
            },
          };
        },
      },
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
