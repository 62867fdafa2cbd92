import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { CfnRuleGroupsNamespace } from 'aws-cdk-lib/aws-aps';
import { Construct } from 'constructs';

const folder = resolve(import.meta.dirname, '../../prometheus');

export interface PrometheusRulesProps {
  /** ARN of a workspace of Amazon Managed Prometheus. */
  readonly workspaceArn: string;
  /** Where its alerts go. @default - nowhere: the rules are evaluated, and no definition of an alert manager is given */
  readonly topicArn?: string;
}

/**
 * The rules of prometheus/rules/ in a workspace, one namespace for each file. What tells the workspace where to send alerts is an output: it has
 * one definition for all of its rules, and to overwrite that of somebody else would silence theirs.
 */
export class PrometheusRules extends Construct {
  constructor(scope: Construct, id: string, { workspaceArn, topicArn }: PrometheusRulesProps) {
    super(scope, id);
    for (const file of globSync('rules/*.yaml', { cwd: folder }).sort()) {
      const subject = basename(file, '.yaml');
      new CfnRuleGroupsNamespace(this, subject, {
        name: `cgroup-medic-${subject}`,
        workspace: workspaceArn,
        // As it stands: a comment costs nothing there, and says why.
        data: readFileSync(join(folder, file), 'utf8'),
      });
    }
    if (topicArn === undefined) return;
    const definition = readFileSync(join(folder, 'amp-alertmanager.yaml'), 'utf8');
    new CfnOutput(this, 'AlertManagerDefinition', {
      description: 'Make this part of the alert manager definition of the workspace: docs/deploying.md',
      value: definition.replace('TOPIC_ARN', topicArn).replace('REGION', Stack.of(this).region),
    }).overrideLogicalId('AlertManagerDefinition');
  }
}
