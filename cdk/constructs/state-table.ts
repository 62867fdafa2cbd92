import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { pausesOf } from '../../lambdas/adapters/pause-reader.ts';
import { standingEndsOf, standingsOf } from '../../lambdas/adapters/standing-reader.ts';

/** Leases, incidents and approvals while they live. What must outlive them is in the audit trail. */
export class StateTable extends Construct {
  private readonly table: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  get tableName(): string {
    return this.table.tableName;
  }

  /** Takes, renews and gives back leases: these are single items that are updated and never put whole. */
  grantLeases(grantee: IGrantable): void {
    this.grant(grantee, ['dynamodb:GetItem', 'dynamodb:UpdateItem']);
  }

  /** Leases, and approvals. Single items only: no function scans or deletes. */
  grantReadWrite(grantee: IGrantable): void {
    this.grant(grantee, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']);
  }

  /** Single items that it puts and reads, and changes none. */
  grantReadPut(grantee: IGrantable): void {
    this.grant(grantee, ['dynamodb:GetItem', 'dynamodb:PutItem']);
  }

  /** All pauses of a cluster, which are one partition; no other can be listed, those with task tokens least of all. */
  grantListPauses(grantee: IGrantable): void {
    this.grantList(grantee, [pausesOf('*')]);
  }

  /** All standing treatments of a cluster, and which of them have ended. */
  grantListStandings(grantee: IGrantable): void {
    this.grantList(grantee, [standingsOf('*'), standingEndsOf('*')]);
  }

  /**
   * What people need who see and end standing treatments. They can put an end, and nothing that begins one: what holds is in
   * another partition than what ends it. Of an end they write what it says and no expiry, after which what it ended would go on.
   */
  standingStatements(clusters: readonly string[]): PolicyStatement[] {
    const on = (
      actions: string[],
      keys: string[],
      conditions: Record<string, unknown> = {},
    ): PolicyStatement =>
      new PolicyStatement({
        actions,
        resources: [this.table.tableArn],
        conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': keys, ...conditions } },
      });
    const ends = clusters.map(standingEndsOf);
    return [
      on(['dynamodb:Query'], [...clusters.map(standingsOf), ...ends]),
      on(['dynamodb:UpdateItem'], ends, { 'dynamodb:Attributes': ['pk', 'sk', 'end'] }),
    ];
  }

  /** What people need who pause clusters: their items, and no others. */
  pauseStatement(clusters: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: ['dynamodb:Query', 'dynamodb:PutItem'],
      resources: [this.table.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': clusters.map(pausesOf) } },
    });
  }

  private grantList(grantee: IGrantable, partitions: string[]): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:Query'],
      resourceArns: [this.table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } },
    });
  }

  private grant(grantee: IGrantable, actions: string[]): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [this.table.tableArn] });
  }

  /** Single items that others have put there. */
  grantReadUpdate(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      resourceArns: [this.table.tableArn],
    });
  }
}
