import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CfnRuleGroupsNamespace } from 'aws-cdk-lib/aws-aps';
import { Construct } from 'constructs';

const folder = resolve(import.meta.dirname, '../../prometheus/rules');

export interface PrometheusRulesProps {
  /** ARN of a workspace of Amazon Managed Prometheus. */
  readonly workspaceArn: string;
}

/**
 * The rules of prometheus/rules/ in a workspace, one namespace for each file. Where the workspace sends its alerts is not set here: it has one
 * definition for all of its rules, and to overwrite somebody else's would silence them. prometheus/amp-alertmanager.yaml is the part for us.
 */
export class PrometheusRules extends Construct {
  constructor(scope: Construct, id: string, { workspaceArn }: PrometheusRulesProps) {
    super(scope, id);
    for (const file of globSync('*.yaml', { cwd: folder }).sort()) {
      const subject = basename(file, '.yaml');
      new CfnRuleGroupsNamespace(this, subject, {
        name: `cgroup-medic-${subject}`,
        workspace: workspaceArn,
        data: readFileSync(join(folder, file), 'utf8'),
      });
    }
  }
}
