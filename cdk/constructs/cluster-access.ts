import { Stack, Validations } from 'aws-cdk-lib';
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
  /** The functions that look for a veto on a node before it is treated, by name. */
  readonly gatekeepers: Readonly<Record<string, MedicFunction>>;
  /** The functions that have nodes changed, or such a change taken back. */
  readonly changing: readonly MedicFunction[];
  readonly nodes: Nodes;
}

/** The group that the API server sees; what it may do stands in docs/kubernetes/read-around.yaml, and there only. */
export const readersGroup = 'cgroup-medic:readers';
/** Likewise for who may change something: docs/kubernetes/replace-nodes.yaml. */
export const replacersGroup = 'cgroup-medic:replacers';

/** The way to the API servers of the clusters whose settings open one; for all others there is nothing here. */
export class ClusterAccess extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { settings, examiner, intake, gatekeepers, changing, nodes }: ClusterAccessProps,
  ) {
    super(scope, id);
    const open = Object.entries(settings.clusters).filter(([, { api }]) => api.access !== 'none');
    const readers = new Map<string, ClusterReader>();
    for (const [name, { api }] of open) {
      if (api.access !== 'vpc') continue;
      const reader = new ClusterReader(this, `Reader-${name}`, { cluster: name, settings, vpc: api.vpc });
      this.addEntry(`Entry-${name}`, name, reader.role);
      readers.set(name, reader);
    }
    const changers = new Map<string, NodeChanger>();
    for (const [name, { api, replacement }] of open) {
      if (!replacement.enabled) continue;
      const changer = new NodeChanger(this, `Changer-${name}`, { cluster: name, settings, api });
      this.addEntry(`ChangerEntry-${name}`, name, changer.role, replacersGroup);
      changers.set(name, changer);
    }
    for (const one of changing) this.letChange(one, changers);
    if (open.length > 0) nodes.grantReadNames(examiner);
    this.letAsk(examiner, open, readers, 'Entry');
    this.letAsk(intake, open, readers, 'IntakeEntry');
    for (const [name, gatekeeper] of Object.entries(gatekeepers)) {
      this.letAsk(gatekeeper, open, readers, `${name}Entry`);
    }
  }

  /** Gives a function what it takes to ask these clusters: where they are, and an entry of its own or the way through their VPC. */
  private letAsk(
    asker: MedicFunction,
    clusters: readonly [string, Settings['clusters'][string]][],
    readers: ReadonlyMap<string, ClusterReader>,
    entry: string,
  ): void {
    if (clusters.length === 0) return;
    this.letFind(
      asker,
      clusters.map(([name]) => name),
    );
    const names: Record<string, string> = {};
    for (const [name] of clusters) {
      const reader = readers.get(name);
      if (reader === undefined) {
        this.addEntry(`${entry}-${name}`, name, asker.role);
        continue;
      }
      reader.grantInvoke(asker);
      names[name] = reader.functionName;
    }
    if (Object.keys(names).length > 0) {
      asker.addEnvironment('CLUSTER_READERS', Stack.of(this).toJsonString(names));
    }
  }

  /** Gives a function the way to those that change nodes. It gets no entry: it never speaks to an API server itself. */
  private letChange(asker: MedicFunction, changers: ReadonlyMap<string, NodeChanger>): void {
    if (changers.size === 0) return;
    this.letFind(asker, [...changers.keys()]);
    for (const changer of changers.values()) changer.grantInvoke(asker);
    const names = Object.fromEntries([...changers].map(([name, { functionName }]) => [name, functionName]));
    asker.addEnvironment('CLUSTER_CHANGERS', Stack.of(this).toJsonString(names));
  }

  /** Lets a function see whether a managed node group of these clusters is being updated, or repaired by EKS. */
  static grantNodeGroups(grantee: MedicFunction, clusters: readonly string[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['eks:DescribeNodegroup'],
      resourceArns: clusters.map((cluster) =>
        Stack.of(grantee).formatArn({
          service: 'eks',
          resource: 'nodegroup',
          resourceName: `${cluster}/*/*`,
        }),
      ),
    });
    for (const cluster of clusters) {
      Validations.of(grantee.role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:eks:<AWS::Region>:<AWS::AccountId>:nodegroup/${cluster}/*/*]`,
        reason:
          'Node groups come and go, and their ARNs have a UUID; the right is to describe those of this cluster.',
      });
    }
  }

  /** Where the API servers of these clusters are. */
  private letFind(grantee: MedicFunction, clusters: readonly string[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['eks:DescribeCluster'],
      resourceArns: clusters.map((resourceName) =>
        Stack.of(this).formatArn({ service: 'eks', resource: 'cluster', resourceName }),
      ),
    });
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
