import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface AuditTrailProps {
  readonly retentionDays: RetentionDays;
}

/** The audit entries: a table that orders and chains them, and the log group they are delivered to. Both outlive the stack. */
export class AuditTrail extends Construct {
  private readonly table: Table;
  private readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { retentionDays }: AuditTrailProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'incident', type: AttributeType.STRING },
      sortKey: { name: 'seq', type: AttributeType.NUMBER },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.logGroup = new LogGroup(this, 'Log', {
      retention: retentionDays,
      deletionProtectionEnabled: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  get tableName(): string {
    return this.table.tableName;
  }

  get logGroupName(): string {
    return this.logGroup.logGroupName;
  }

  /** Entries are appended and marked as delivered; nobody is given the right to delete one. */
  grantAppend(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resourceArns: [this.table.tableArn],
    });
    this.grantNote(grantee);
  }

  /** Lets a function write into the log group only: what has no incident has no trail either. */
  grantNote(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resourceArns: [this.logGroup.logGroupArn],
    });
  }
}
