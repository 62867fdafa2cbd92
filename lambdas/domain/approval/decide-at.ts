import * as z from 'zod';

/** Where somebody can decide who has rights in the account. */
export const DecideAt = z.object({ url: z.string(), cli: z.string() });
export type DecideAt = z.infer<typeof DecideAt>;

/** Domains of the console, by how the names of their regions begin: AWS General Reference, "Management Console endpoints". */
const domains: readonly (readonly [prefix: string, domain: string])[] = [
  ['cn-', 'amazonaws.cn'],
  ['us-gov-', 'amazonaws-us-gov.com'],
];

/**
 * The page of the console that runs the runbook on this approval, and the command that does the same. Neither has the decision
 * filled in: that is to be made by whoever opens it.
 *
 * @param document name of the runbook
 */
export function decideAt(document: string, region: string, approvalId: string): DecideAt {
  const domain = domains.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws.amazon.com';
  const page = `https://${region}.console.${domain}/systems-manager/automation/execute/${encodeURIComponent(document)}`;
  return {
    url: `${page}?region=${region}#ApprovalId=${encodeURIComponent(approvalId)}`,
    cli: `aws ssm start-automation-execution --region ${region} --document-name ${document} --parameters '{"ApprovalId":["${approvalId}"],"Decision":["DECISION"],"Reason":["REASON"]}'`,
  };
}
