import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { Effect, Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import type { MedicFunction } from './medic-function.ts';

/** Other ways to run something on a node, to change what our documents run, and to become somebody who may. */
const waysRound = [
  'ssm:StartSession',
  'ssm:StartAutomationExecution',
  'ssm:CreateAssociation',
  'ssm:UpdateAssociation',
  'ssm:CreateDocument',
  'ssm:UpdateDocument',
  'ssm:UpdateDocumentDefaultVersion',
  'ssm:ModifyDocumentPermission',
  'ec2:CreateTags',
  'iam:PassRole',
  'sts:AssumeRole',
];

export interface DocumentsProps {
  /** EKS clusters on whose nodes the documents may run. */
  readonly clusters: readonly string[];
}

/** The SSM documents: everything that ever runs on a node. */
export class Documents extends Construct {
  private readonly documents: ReadonlyMap<string, { resource: CfnDocument; contentDigest: string }>;
  private readonly clusters: readonly string[];
  private readonly denied = new Set<MedicFunction>();

  constructor(scope: Construct, id: string, { clusters }: DocumentsProps) {
    super(scope, id);
    this.clusters = clusters;
    this.documents = new Map(
      documentNames.map((name) => {
        const { content, contentDigest } = loadDocument(name);
        const resource = new CfnDocument(this, name, {
          documentType: 'Command',
          documentFormat: 'JSON',
          content,
          targetType: '/AWS::EC2::Instance',
          // The default, Replace, would take the document away from under a running incident.
          updateMethod: 'NewVersion',
        });
        return [name, { resource, contentDigest }];
      }),
    );
  }

  /** For the functions: physical name and content digest of each document, as JSON. */
  toJson(): string {
    const entries = [...this.documents].map(([name, { resource, contentDigest }]) => [
      name,
      { name: resource.ref, contentDigest },
    ]);
    return Stack.of(this).toJsonString(Object.fromEntries(entries));
  }

  /** Lets a function run this one document on the nodes of the configured clusters, and pin its version and hash. */
  grantSend(grantee: MedicFunction, name: string): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['ssm:SendCommand', 'ssm:GetDocument', 'ssm:DescribeDocument'],
      resourceArns: [this.arnOf(name)],
    });
    Grant.addToPrincipal({
      grantee,
      actions: ['ssm:SendCommand'],
      resourceArns: [this.instancesArn()],
      conditions: { StringEquals: { 'ssm:resourceTag/eks:cluster-name': [...this.clusters] } },
    });
    this.denyOthers(grantee);
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]',
      reason:
        'Nodes come and go, so their ids cannot be listed. The condition on the tag eks:cluster-name keeps the right to nodes of the configured clusters.',
    });
  }

  /**
   * Whoever may send a command runs scripts as root. These statements keep that to our scripts on nodes of the configured
   * clusters, whatever another policy, a permission boundary that is too wide, or a shared document would add to it.
   */
  private denyOthers(grantee: MedicFunction): void {
    if (this.denied.has(grantee)) return;
    this.denied.add(grantee);
    const instances = this.instancesArn();
    const deny = (props: {
      actions: string[];
      resources?: string[];
      notResources?: string[];
      conditions?: object;
    }) => grantee.addToRolePolicy(new PolicyStatement({ effect: Effect.DENY, ...props }));
    deny({
      actions: ['ssm:SendCommand'],
      notResources: [...documentNames.map((name) => this.arnOf(name)), instances],
    });
    deny({
      actions: ['ssm:SendCommand'],
      resources: [instances],
      conditions: { StringNotEquals: { 'ssm:resourceTag/eks:cluster-name': [...this.clusters] } },
    });
    // On everything: what is denied is no right, and one that is left out would be.
    deny({ actions: [...waysRound], resources: ['*'] });
  }

  /** Lets a function ask how a command is doing, and cancel it. */
  grantFollow(grantee: MedicFunction): void {
    this.grantOnCommands(grantee, ['ssm:GetCommandInvocation', 'ssm:CancelCommand']);
  }

  /** Lets a function cancel a command, without seeing what it printed. */
  grantCancel(grantee: MedicFunction): void {
    this.grantOnCommands(grantee, ['ssm:CancelCommand']);
  }

  /** Lets a function see on which nodes a command has ended, and what it printed there. */
  grantReadMany(grantee: MedicFunction): void {
    this.grantOnCommands(grantee, [
      'ssm:ListCommands',
      'ssm:ListCommandInvocations',
      'ssm:GetCommandInvocation',
    ]);
  }

  private grantOnCommands(grantee: MedicFunction, actions: string[]): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: ['*'] });
    Validations.of(grantee.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: `${actions.join(' and ')}: no resource type is known for it (Service Authorization Reference, AWS Systems Manager).`,
    });
  }

  private instancesArn(): string {
    return Stack.of(this).formatArn({
      service: 'ec2',
      resource: 'instance',
      resourceName: '*',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }

  private arnOf(name: string): string {
    const document = this.documents.get(name);
    if (document === undefined)
      throw new Error(`no document "${name}": use one of ${documentNames.join(', ')}`);
    return Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'document',
      resourceName: document.resource.ref,
    });
  }
}
