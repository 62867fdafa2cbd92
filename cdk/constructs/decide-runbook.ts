import { ArnFormat, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { Grant, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { approvalIdPattern, consoleReasonPattern } from '../../lambdas/domain/approval/approval-id.ts';
import type { Settings } from '../../lambdas/domain/settings.ts';
import { MedicFunction } from './medic-function.ts';

export interface DecideRunbookProps {
  readonly settings: Settings;
  /** The one function that takes decisions. */
  readonly decide: MedicFunction;
}

/**
 * The door of the AWS console: a runbook of Systems Manager Automation without a role of its own, so that it runs with the
 * rights of whoever starts it, and IAM is the list of who may. Who they are, its function asks Systems Manager.
 */
export class DecideRunbook extends Construct {
  private readonly door: MedicFunction;

  /** What the runbook of a stack is called. */
  static nameIn(stack: Stack): string {
    return `${stack.stackName}-decide`;
  }

  constructor(scope: Construct, id: string, { settings, decide }: DecideRunbookProps) {
    super(scope, id);
    const document = DecideRunbook.nameIn(Stack.of(this));
    this.door = new MedicFunction(this, 'Door', {
      name: 'decide-at-console',
      description:
        'Takes decisions on approvals from the AWS console and knows people by what AWS says of them',
      settings,
      environment: {
        DECIDE_FUNCTION: decide.functionName,
        DECIDE_DOCUMENT: document,
        POWERTOOLS_SERVICE_NAME: 'cgroup-medic',
        NODE_OPTIONS: '--enable-source-maps',
      },
    });
    Grant.addToPrincipal({
      grantee: this.door,
      actions: ['lambda:InvokeFunction'],
      resourceArns: [decide.functionArn],
    });
    this.grantAskWho(this.door);
    this.makeDocument(document);
    const policy = this.policyForPeople(document);
    new CfnOutput(this, 'Name', { value: document }).overrideLogicalId('DecideDocumentName');
    new CfnOutput(this, 'PolicyArn', { value: policy.managedPolicyArn }).overrideLogicalId('DecidePolicyArn');
  }

  private makeDocument(name: string): void {
    new CfnDocument(this, 'Document', {
      name,
      documentType: 'Automation',
      documentFormat: 'JSON',
      updateMethod: 'NewVersion',
      content: {
        schemaVersion: '0.3',
        description:
          'Approves or denies a treatment that cgroup-medic asks about. Who decides is whoever starts this. Runs with their rights: lambda:InvokeFunction on one function.',
        parameters: {
          ApprovalId: {
            type: 'String',
            description: 'Id of the approval, as it stands on its card',
            allowedPattern: approvalIdPattern,
          },
          Decision: {
            type: 'String',
            description: 'approve or deny; a denial needs a reason',
            allowedValues: ['approve', 'deny'],
          },
          Reason: {
            type: 'String',
            description:
              'Why, for whoever reads the audit: letters, digits, spaces and . , : ; / ( ) _ + - only',
            default: '',
            allowedPattern: consoleReasonPattern,
          },
        },
        mainSteps: [
          {
            name: 'decide',
            action: 'aws:invokeLambdaFunction',
            // The answer of a function that timed out is not known, and the same decision may be made again.
            timeoutSeconds: 60,
            maxAttempts: 1,
            onFailure: 'Abort',
            isEnd: true,
            inputs: {
              FunctionName: this.door.functionName,
              InvocationType: 'RequestResponse',
              InputPayload: {
                approvalId: '{{ ApprovalId }}',
                decision: '{{ Decision }}',
                reason: '{{ Reason }}',
                executionId: '{{ automation:EXECUTION_ID }}',
              },
            },
          },
        ],
        outputs: ['decide.Payload'],
      },
    });
  }

  /** Systems Manager says who started an execution, and IAM by which id AWS knows them elsewhere. */
  private grantAskWho(grantee: MedicFunction): void {
    const stack = Stack.of(this);
    const principals = ['role', 'user'].map((resource) =>
      stack.formatArn({ service: 'iam', region: '', resource, resourceName: '*' }),
    );
    const [roles = '', users = ''] = principals;
    for (const [actions, resourceArns] of [
      [['ssm:GetAutomationExecution'], [this.executions]],
      [['iam:GetRole'], [roles]],
      [['iam:GetUser'], [users]],
    ] as const) {
      Grant.addToPrincipal({ grantee, actions: [...actions], resourceArns: [...resourceArns] });
    }
    const acknowledged = {
      'ssm:<AWS::Region>:<AWS::AccountId>:automation-execution/*':
        'Executions have ids that Systems Manager makes. The function refuses all that are not of its own runbook.',
      'iam::<AWS::AccountId>:role/*':
        'Whoever may start the runbook may come by any role. Only its unique id is used, to compare it with who asked.',
      'iam::<AWS::AccountId>:user/*': 'The same for IAM users.',
    };
    for (const [resource, reason] of Object.entries(acknowledged)) {
      Validations.of(grantee.role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:${resource}]`,
        reason,
      });
    }
  }

  /** What somebody needs to decide: Systems Manager user guide, "Setting up identity based policies examples". */
  private policyForPeople(document: string): ManagedPolicy {
    const stack = Stack.of(this);
    const documentArn = stack.formatArn({ service: 'ssm', resource: 'document', resourceName: document });
    const policy = new ManagedPolicy(this, 'People', {
      description: `Lets people decide on what ${stack.stackName} asks about: attach it to those who may`,
      statements: [
        new PolicyStatement({
          actions: ['ssm:StartAutomationExecution'],
          resources: [documentArn, this.executions],
        }),
        new PolicyStatement({
          actions: ['ssm:GetDocument', 'ssm:DescribeDocument'],
          resources: [documentArn],
        }),
        new PolicyStatement({
          actions: ['ssm:GetAutomationExecution', 'ssm:DescribeAutomationStepExecutions'],
          resources: [this.executions],
        }),
        new PolicyStatement({
          actions: ['lambda:InvokeFunction'],
          resources: [this.door.functionArn],
        }),
        // `npm run decide` finds the runbook by the outputs of the stack.
        new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
      ],
    });
    Validations.of(policy).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:automation-execution/*]',
      reason:
        'Starting a runbook makes an execution with an id that nobody knows before; what may be started is the document alone.',
    });
    return policy;
  }

  private get executions(): string {
    return Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'automation-execution',
      resourceName: '*',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}
