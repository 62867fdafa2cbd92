import { Stack } from 'aws-cdk-lib';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

export interface RemediateRunbookProps {
  /** Where people's requests go. */
  readonly queueUrl: string;
  /** The configured clusters; there is no other to choose. */
  readonly clusters: readonly string[];
}

/**
 * Asks for an incident from the console of Systems Manager. It has no role of its own: it sends the message with the rights, and
 * so in the name, of whoever starts it. Its parameters are pasted as text, so none may hold what ends a text in JSON.
 */
export class RemediateRunbook extends Construct {
  constructor(scope: Construct, id: string, { queueUrl, clusters }: RemediateRunbookProps) {
    super(scope, id);
    new CfnDocument(this, 'Document', {
      name: `${Stack.of(this).stackName}-remediate`,
      documentType: 'Automation',
      documentFormat: 'JSON',
      updateMethod: 'NewVersion',
      content: {
        schemaVersion: '0.3',
        description:
          'Asks cgroup-medic for an incident on one node. What may be done there, the mode and the policy of the cluster decide. Runs with the rights of whoever starts it: sqs:SendMessage on the queue of requests by hand.',
        parameters: {
          InstanceId: {
            type: 'String',
            description: 'EC2 instance id of the node',
            allowedPattern: '^i-[0-9a-f]{8,17}$',
          },
          ClusterName: {
            type: 'String',
            description: 'EKS cluster that the node belongs to',
            allowedValues: [...clusters],
          },
          Reason: {
            type: 'String',
            description:
              'Why, for whoever reads the incident: letters, digits, spaces and . , : ; / ( ) _ + - only',
            default: '',
            allowedPattern: '^[A-Za-z0-9 .,:;/()_+-]{0,200}$',
          },
        },
        mainSteps: [
          {
            name: 'ask',
            action: 'aws:executeAwsApi',
            isEnd: true,
            inputs: {
              Service: 'sqs',
              Api: 'SendMessage',
              QueueUrl: queueUrl,
              MessageBody:
                '{"source":"by-hand","payload":{"instanceId":"{{ InstanceId }}","cluster":"{{ ClusterName }}","reason":"{{ Reason }}"}}',
            },
            outputs: [{ Name: 'MessageId', Selector: '$.MessageId', Type: 'String' }],
          },
        ],
        outputs: ['ask.MessageId'],
      },
    });
  }
}
