import type { Cluster } from './cluster.ts';
import type { People } from './people.ts';
import { approvalRisks } from './policy.ts';

type Checked = {
  readonly clusters: Readonly<Record<string, Cluster>>;
  readonly people: People;
  readonly slack: { readonly enabled: boolean; readonly teamId?: string | undefined };
};
export type Problem = { path: (string | number)[]; message: string };

/** What each setting alone cannot know: that the people who are named exist, are enough, and can be reached. */
export function approvalProblems({ clusters, people, slack }: Checked): Problem[] {
  const groups = new Set(Object.values(people).flatMap((person) => person.groups));
  const problems: Problem[] = [];
  if (slack.enabled && slack.teamId === undefined) {
    problems.push({ path: ['slack'], message: 'must name teamId, because slack is enabled' });
  }
  for (const [where, { approval, slack: ofCluster }] of Object.entries(clusters)) {
    const at = (...path: (string | number)[]) => ['clusters', where, ...path];
    if (!slack.enabled && (ofCluster.channel !== undefined || ofCluster.escalationChannel !== undefined)) {
      problems.push({
        path: at('slack'),
        message: 'must name no channel unless slack.enabled is true for the whole account',
      });
    }
    const { group } = approval.escalation;
    if (group !== undefined && !groups.has(group)) {
      problems.push({
        path: at('approval', 'escalation', 'group'),
        message: 'must be a group that some of people belong to',
      });
    }
    for (const risk of approvalRisks) {
      const named = approval.approvers[risk];
      for (const [index, one] of named.entries()) {
        const known = one.startsWith('@') ? groups.has(one.slice(1)) : Object.hasOwn(people, one);
        if (!known) {
          problems.push({
            path: at('approval', 'approvers', risk, index),
            message: one.startsWith('@')
              ? 'must be a group that some of people belong to'
              : 'must be one of people',
          });
        }
      }
      const may = Object.entries(people).filter(
        ([name, person]) => named.includes(name) || person.groups.some((one) => named.includes(`@${one}`)),
      );
      if (named.length > 0 && may.length < approval.quorum[risk]) {
        problems.push({
          path: at('approval', 'quorum', risk),
          message: `must be at most ${may.length}: no more people may decide`,
        });
      }
    }
  }
  return problems;
}
