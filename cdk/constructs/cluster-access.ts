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
  /** The functions that look for a veto on a node before it is treated, by name. */
  readonly gatekeepers: Readonly<Record<string, MedicFunction>>;
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
    { settings, examiner, intake, gatekeepers, nodes }: ClusterAccessProps,
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
    for (const [name, { api, replacement }] of open) {
      if (!replacement.enabled) continue;
      const changer = new NodeChanger(this, `Changer-${name}`, { cluster: name, settings, api });
      this.addEntry(`ChangerEntry-${name}`, name, changer.role, replacersGroup);
    }
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
    Grant.addToPrincipal({
      grantee: asker,
      actions: ['eks:DescribeCluster'],
      resourceArns: clusters.map(([name]) =>
        Stack.of(this).formatArn({ service: 'eks', resource: 'cluster', resourceName: name }),
      ),
    });
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
