import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { MachineFunctions } from '../workflow/phase.ts';
import { Workflow } from '../workflow/workflow.ts';

export interface IncidentWorkflowProps {
  readonly functions: MachineFunctions;
  /** The longest that an approval may wait, in seconds. */
  readonly longestApproval: number;
  /** The longest that an incident may wait at its gates, in seconds. */
  readonly longestWait: number;
  /** The longest that the replacement of a node may take, in seconds. */
  readonly longestReplacement: number;
}

/** An approval can be void twice and be asked for again, so there can be three. */
const mostApprovals = 3;

/** The state machine: one execution is one incident. */
export class IncidentWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(
    scope: Construct,
    id: string,
    { functions, longestApproval, longestWait, longestReplacement }: IncidentWorkflowProps,
  ) {
    super(scope, id);
    const destination = new LogGroup(this, 'Log', {
      // Step Functions adds each destination to one resource policy of limited size, except below this prefix.
      logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}-incidents`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromChainable(new Workflow(this, 'Workflow', { functions })),
      comment: 'cgroup-medic: one execution is one incident of one node',
      // An approval that nobody answers has to expire before the machine does: expiry is an ordinary end, a time-out is not.
      // Each question at a gate takes a moment as well, and each look at a node a minute: twice the waits themselves.
      timeout: Duration.seconds(mostApprovals * longestApproval)
        .plus(Duration.seconds(2 * longestWait))
        .plus(Duration.seconds(longestReplacement))
        .plus(Duration.hours(3)),
      tracingEnabled: true,
      // Evidence belongs in the audit trail; a second copy in this log would have other readers and another retention.
      logs: { destination, level: LogLevel.ALL, includeExecutionData: false },
    });
    Validations.of(this.stateMachine.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Log delivery (logs:CreateLogDelivery and its siblings) and X-Ray (xray:PutTraceSegments and its siblings) know no resource type.',
    });
  }

  /** Lets a function start incidents. */
  grantStart(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['states:StartExecution'],
      resourceArns: [this.stateMachine.stateMachineArn],
    });
  }

  /** Lets a function wake an execution that waits for an approval. */
  grantWakeUp(grantee: IGrantable): void {
    // The Service Authorization Reference names no resource type for this action, but IAM does evaluate it against the
    // state machine of the token.
    Grant.addToPrincipal({
      grantee,
      actions: ['states:SendTaskSuccess'],
      resourceArns: [this.stateMachine.stateMachineArn],
    });
  }
}
