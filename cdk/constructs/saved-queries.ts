import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { auditQueries } from './audit-queries.ts';

export interface SavedQueriesProps {
  /** The audit log group. */
  readonly logGroupName: string;
}

/** The questions that are asked again and again, ready in the console of Logs Insights, in the folder cgroup-medic. */
export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, { logGroupName }: SavedQueriesProps) {
    super(scope, id);
    for (const { name, says, query } of auditQueries) {
      new CfnQueryDefinition(this, name.replaceAll(' ', ''), {
        name: `cgroup-medic/${name}`,
        logGroupNames: [logGroupName],
        queryString: `# ${says}\n${query}`,
      });
    }
  }
}
