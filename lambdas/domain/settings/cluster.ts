import * as z from 'zod';
import { Thresholds } from '../thresholds.ts';
import { Agents } from './agents.ts';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { Approvals } from './approval.ts';
import { Census } from './census.ts';
import { Diagnosing, Examination } from './diagnosing.ts';
import { Gates } from './gates.ts';
import { Mode, Policy } from './policy.ts';
import { Reclaim } from './reclaim.ts';
import { Replacement } from './replacement.ts';
import { RollSettings } from './roll.ts';
import { Scopes, Sessions } from './sessions.ts';
import { SlackOfCluster } from './slack.ts';
import { StandingSettings } from './standing.ts';
import { Verification } from './verification.ts';

export const Cluster = z
  .strictObject({
    initialMode: Mode.default('observe').describe(
      'Mode of a first deployment. Later changes are made in the parameter /cgroup-medic/CLUSTER/mode, without a deployment.',
    ),
    policy: Policy.prefault({}),
    reclaim: Reclaim.prefault({}),
    sessions: Sessions.prefault({}),
    scopes: Scopes.prefault({}),
    agents: Agents.prefault({}),
    thresholds: Thresholds.prefault({}),
    diagnosis: Diagnosing.prefault({}),
    examination: Examination.prefault({}),
    census: Census.prefault({}),
    api: Api.prefault({}),
    alarms: Alarms.prefault({}),
    verification: Verification.prefault({}),
    gates: Gates.prefault({}),
    approval: Approvals.prefault({}),
    roll: RollSettings.prefault({}),
    slack: SlackOfCluster.prefault({}),
    replacement: Replacement.prefault({}),
    standing: StandingSettings.prefault({}),
  })
  .refine(({ api, replacement }) => api.access !== 'none' || !replacement.enabled, {
    path: ['replacement', 'enabled'],
    message:
      'must be false unless api.access is public or vpc: nobody could ask the API server of this cluster',
  });
export type Cluster = z.infer<typeof Cluster>;
