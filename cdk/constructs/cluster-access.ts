import { Stack } from 'aws-cdk-lib';
import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import { Grant, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { ClusterReader } from './cluster-reader.ts';
import type { MedicFunction } from './medic-function.ts';
import { NodeChanger } from './node-changer.ts';
import type { Nodes } from './nodes.ts';

export interface ClusterAccessProps {
  readonly settings: Settings;
  /** The function that asks for what is known around a node. */
  readonly examiner: MedicFunction;
  /** The function that asks which instance a node is. */
  readonly intake: MedicFunction;
  readonly nodes: Nodes;
}

/** The group that the API server sees; what it may do stands in docs/kubernetes/read-around.yaml, and there only. */
export const readersGroup = 'cgroup-medic:readers';
/** Likewise for who may change something: docs/kubernetes/replace-nodes.yaml. */
export const replacersGroup = 'cgroup-medic:replacers';

/** The way to the API servers of the clusters whose settings open one; for all others there is nothing here. */
export class ClusterAccess extends Construct {
  constructor(scope: Construct, id: string, { settings, examiner, intake, nodes }: ClusterAccessProps) {
    super(scope, id);
    const open = Object.entries(settings.clusters).filter(([, { api }]) => api.access !== 'none');
    if (open.length === 0) return;
    nodes.grantReadNames(examiner);
    const askers = [examiner, intake];
    for (const grantee of askers) {
      Grant.addToPrincipal({
        grantee,
        actions: ['eks:DescribeCluster'],
        resourceArns: open.map(([name]) =>
          Stack.of(this).formatArn({ service: 'eks', resource: 'cluster', resourceName: name }),
        ),
      });
    }
    const readers: Record<string, string> = {};
    for (const [name, { api, replacement }] of open) {
      if (replacement.enabled) {
        const changer = new NodeChanger(this, `Changer-${name}`, { cluster: name, settings, api });
        this.addEntry(`ChangerEntry-${name}`, name, changer.role, replacersGroup);
      }
      if (api.access === 'public') {
        this.addEntry(`Entry-${name}`, name, examiner.role);
        this.addEntry(`IntakeEntry-${name}`, name, intake.role);
        continue;
      }
      const reader = new ClusterReader(this, `Reader-${name}`, { cluster: name, settings, vpc: api.vpc });
      for (const asker of askers) reader.grantInvoke(asker);
      readers[name] = reader.functionName;
      this.addEntry(`Entry-${name}`, name, reader.role);
    }
    if (Object.keys(readers).length > 0) {
      for (const asker of askers)
        asker.addEnvironment('CLUSTER_READERS', Stack.of(this).toJsonString(readers));
    }
  }

  /** Makes a role known to the API server, as a member of a group that has no right until the manifest is applied. */
  private addEntry(id: string, clusterName: string, role: Role, group = readersGroup): void {
    new CfnAccessEntry(this, id, {
      clusterName,
      principalArn: role.roleArn,
      type: 'STANDARD',
      kubernetesGroups: [group],
    });
  }
}
