import { describe, expect, it } from 'vitest';
import { Settings } from '../../../lambdas/domain/settings.ts';

const people = { ana: { groups: ['oncall'], slack: 'U012AB3CD' }, bob: { groups: ['oncall'] } };
const problemsOf = (cluster: object, more: object = {}) => {
  const result = Settings.safeParse({ clusters: { prod: cluster }, people, ...more });
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('the settings of approvals', () => {
  it('may name people and groups that there are, and a quorum that they can meet', () => {
    const approval = {
      approvers: { medium: ['ana', '@oncall'], high: ['@oncall'] },
      quorum: { high: 2 },
      escalation: { group: 'oncall' },
    };
    expect(problemsOf({ approval })).toEqual([]);
  });

  it.each([
    [{ approvers: { low: ['eve'] } }, 'clusters.prod.approval.approvers.low.0: must be one of people'],
    [
      { approvers: { low: ['@dba'] } },
      'clusters.prod.approval.approvers.low.0: must be a group that some of people belong to',
    ],
    [
      { approvers: { high: ['ana'] }, quorum: { high: 2 } },
      'clusters.prod.approval.quorum.high: must be at most 1: no more people may decide',
    ],
    [
      { escalation: { group: 'managers' } },
      'clusters.prod.approval.escalation.group: must be a group that some of people belong to',
    ],
    [
      { remindAtPercent: 80 },
      'clusters.prod.approval: must remind before it escalates: remindAtPercent below escalation.atPercent',
    ],
  ])('%o: %s', (approval, problem) => {
    expect(problemsOf({ approval })).toContain(problem);
  });

  it('asks for a workspace and for channels only together with Slack', () => {
    expect(problemsOf({}, { slack: { enabled: true } })).toEqual([
      'slack: must name teamId, because slack is enabled',
    ]);
    expect(problemsOf({ slack: { channel: 'C012AB3CD' } })).toEqual([
      'clusters.prod.slack: must name no channel unless slack.enabled is true for the whole account',
    ]);
    expect(
      problemsOf({ slack: { channel: 'C012AB3CD' } }, { slack: { enabled: true, teamId: 'T012AB3CD' } }),
    ).toEqual([]);
  });
});
