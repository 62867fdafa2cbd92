import * as z from 'zod';

const ids = (kind: 'subnet' | 'sg') =>
  z.array(
    z
      .string()
      .regex(
        new RegExp(`^${kind}-[0-9a-f]{8,17}$`),
        `must be the id of one, such as ${kind}-0123456789abcdef0`,
      ),
  );

export const Api = z
  .strictObject({
    access: z
      .enum(['none', 'public', 'vpc'])
      .default('none')
      .describe(
        'How the API server of the cluster is asked about a node: not at all, at its public endpoint, or by a function in its VPC, which asks the kubelet as well. It only reads (docs/around.md: rights, access entry, network). With none, what it knows is a gap of every diagnosis.',
      ),
    vpc: z
      .strictObject({
        subnetIds: ids('subnet')
          .max(16)
          .default([])
          .describe(
            'With access vpc: subnets of the function. They need a way to the API server and to the nodes, and none to the internet.',
          ),
        securityGroupIds: ids('sg')
          .max(5)
          .default([])
          .describe(
            'With access vpc: security groups of the function. That of the cluster must let them in on port 443, those of the nodes on 10250.',
          ),
      })
      .prefault({}),
  })
  .refine(
    ({ access, vpc }) => access !== 'vpc' || (vpc.subnetIds.length > 0 && vpc.securityGroupIds.length > 0),
    {
      message: 'must name at least one subnet and one security group under vpc, because access is vpc',
    },
  )
  .refine(({ access, vpc }) => access === 'vpc' || vpc.subnetIds.length + vpc.securityGroupIds.length === 0, {
    message: 'must name no subnet and no security group, because access is not vpc',
  });
