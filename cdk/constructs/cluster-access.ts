import { Stack } from 'aws-cdk-lib';
import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import { Grant, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { ClusterReader } from './cluster-reader.ts';
import type { MedicFunction } from './medic-function.ts';
import type { Nodes } from './nodes.ts';

export interface ClusterAccessProps {
  readonly settings: Settings;
  /** The function that asks for what is known around a node. */
  readonly examiner: MedicFunction;
  readonly nodes: Nodes;
}

/** The group that the API server sees; what it may do stands in docs/kubernetes/read-around.yaml, and there only. */
export const readersGroup = 'cgroup-medic:readers';

/** The way to the API servers of the clusters whose settings open one; for all others there is nothing here. */
export class ClusterAccess extends Construct {
  constructor(scope: Construct, id: string, { settings, examiner, nodes }: ClusterAccessProps) {
    super(scope, id);
    const open = Object.entries(settings.clusters).filter(([, { api }]) => api.access !== 'none');
    if (open.length === 0) return;
    nodes.grantReadNames(examiner);
    Grant.addToPrincipal({
      grantee: examiner,
      actions: ['eks:DescribeCluster'],
      resourceArns: open.map(([name]) =>
        Stack.of(this).formatArn({ service: 'eks', resource: 'cluster', resourceName: name }),
      ),
    });
    const readers: Record<string, string> = {};
    for (const [name, { api }] of open) {
      if (api.access === 'public') {
        this.addEntry(name, examiner.role);
        continue;
      }
      const reader = new ClusterReader(this, `Reader-${name}`, { cluster: name, settings, vpc: api.vpc });
      reader.grantInvoke(examiner);
      readers[name] = reader.functionName;
      this.addEntry(name, reader.role);
    }
    if (Object.keys(readers).length > 0) {
      examiner.addEnvironment('CLUSTER_READERS', Stack.of(this).toJsonString(readers));
    }
  }

  /** Makes a role known to the API server, as a member of a group that has no right until the manifest is applied. */
  private addEntry(clusterName: string, role: Role): void {
    new CfnAccessEntry(this, `Entry-${clusterName}`, {
      clusterName,
      principalArn: role.roleArn,
      type: 'STANDARD',
      kubernetesGroups: [readersGroup],
    });
  }
}
