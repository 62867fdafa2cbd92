import * as z from 'zod';
import { CauseId } from './causes/cause-id.ts';
import { quickSeries } from './census/node-figures.ts';
import { Thresholds } from './thresholds.ts';
import { TreatmentId } from './treatments/treatment-id.ts';

/** What a treatment may cost if it goes wrong; policy maps it to who has to agree. */
export const Risk = z.enum(['none', 'low', 'medium', 'high']);
export type Risk = z.infer<typeof Risk>;

/** Who has to agree to a rung: nobody, a person, or it is never done. */
export const Need = z.enum(['auto', 'approve', 'never']);
export type Need = z.infer<typeof Need>;

/**
 * observe: say what would be done, do nothing. approve: every treatment asks a person. auto: the policy decides.
 * Switchable at run time through the parameter `/cgroup-medic/CLUSTER/mode`.
 */
export const Mode = z.enum(['observe', 'approve', 'auto']);
export type Mode = z.infer<typeof Mode>;

const seconds = (low: number, high: number) => z.int().min(low).max(high);
const slicePath = z
  .string()
  .regex(
    /^(\/[A-Za-z0-9_.@:\\-]+)+$/,
    'must be a cgroup path such as /user.slice: absolute, no spaces, no trailing slash',
  )
  .refine((path) => !path.split('/').includes('..'), 'must not contain ".."');

const ReclaimSettings = z.strictObject({
  slices: z
    .array(slicePath)
    .max(20)
    .default(['/user.slice', '/system.slice', '/runtime.slice', '/init.scope'])
    .describe(
      'Slices that reclaim may touch, with everything below them. The pods (/kubepods.slice) are left out: on cgroup v1 a reclaim empties their page cache as well.',
    ),
  cpuPercent: z
    .literal([1, 2, 5, 10, 20, 50])
    .default(5)
    .describe('Ceiling for the CPU that reclaim uses, in percent of one CPU, averaged over its run.'),
  maxSeconds: z
    .literal([10, 30, 60, 120, 300, 600, 1200])
    .default(300)
    .describe('How long one reclaim may run.'),
  psiFullLimit: z
    .literal([0, 10, 20, 40])
    .default(20)
    .describe(
      'Memory PSI "full avg10", in percent, at which reclaim stops. 0 switches the limit off. On a kernel without PSI no limit can be kept: there reclaim counts as medium risk.',
    ),
  ioFullLimit: z
    .literal([0, 10, 20, 40])
    .default(20)
    .describe(
      'IO PSI "full avg10", in percent, at which reclaim stops when it lasts for 20 s: what reclaim takes from the living (all of their page cache in a slice on cgroup v1) is read again from those disks. 0 switches the limit off.',
    ),
});

const Sessions = z.strictObject({
  linger: z
    .enum(['where-it-helps', 'always'])
    .default('where-it-helps')
    .describe(
      'Whether enable-linger is tried also where the evidence says that each session has a memory cgroup of its own, so that it cannot help.',
    ),
});

const Scopes = z.strictObject({
  minAgeSeconds: z
    .literal([60, 300, 900, 3600, 21_600, 86_400])
    .default(3600)
    .describe('How old an empty directory of a scope or session must be before stop-scopes removes it.'),
});

const Examination = z.strictObject({
  windowSeconds: z
    .literal([1, 2, 5])
    .default(5)
    .describe(
      'How long an examination watches the node for what can only be seen over time: who makes and removes cgroups, throttling, reclaim, load. A shorter window sees less of what happens seldom. The looks after a treatment have no such window.',
    ),
});

const Census = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether the nodes of the cluster are looked at by the clock (docs/census.md). Without it, a node that no alarm speaks of is never looked at.',
      ),
    everyMinutes: z
      .int()
      .min(5)
      .max(1440)
      .default(15)
      .describe('Minutes from one quick look at all nodes to the next. A leak that matters takes hours.'),
    jitterMinutes: z
      .int()
      .min(0)
      .max(60)
      .default(5)
      .describe(
        'Minutes by which a look may begin later, so that clusters are not all asked in the same second. 0: none.',
      ),
    nodesAtOnce: z
      .int()
      .min(1)
      .max(500)
      .default(50)
      .describe(
        'Nodes that run the document at the same time: 50 is what SSM takes where nothing is said. A look takes half a second of one CPU on each.',
      ),
    nodeMetrics: z
      .array(z.enum(quickSeries))
      .max(quickSeries.length)
      .default(['dying', 'availableKb', 'slabUnreclaimableKb'])
      .describe(
        'Figures of each node that become CloudWatch metrics, each of which is paid for by the node and month. The node itself remembers the course of all five for a day.',
      ),
    raiseAtMost: z
      .int()
      .min(0)
      .max(100)
      .default(5)
      .describe(
        'Nodes over threshold that one look raises as incidents, the worst first. The others are counted in NodesHeldBack. 0: the census only measures.',
      ),
    coolDownMinutes: z
      .int()
      .min(30)
      .max(10_080)
      .default(360)
      .describe(
        'Minutes for which a node that was raised is not raised again, whatever became of it: people need not be told of the same node four times an hour.',
      ),
    weeklyReport: z
      .enum(['never', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])
      .default('MON')
      .describe(
        'Day, at 06:00 UTC, of the report of what the nodes carry for nothing. It runs both evidence documents on every node.',
      ),
  })
  .refine(({ jitterMinutes, everyMinutes }) => jitterMinutes < everyMinutes, {
    message: 'must have jitterMinutes below everyMinutes: one look would begin after the next',
  });
export type Census = z.infer<typeof Census>;

const ids = (kind: 'subnet' | 'sg') =>
  z.array(
    z
      .string()
      .regex(
        new RegExp(`^${kind}-[0-9a-f]{8,17}$`),
        `must be the id of one, such as ${kind}-0123456789abcdef0`,
      ),
  );

const Api = z
  .strictObject({
    access: z
      .enum(['none', 'public', 'vpc'])
      .default('none')
      .describe(
        'How the API server of the cluster is asked about a node: not at all, at its public endpoint, or by a function in its VPC, which asks the kubelet as well. It only reads (docs/around.md: rights, access entry, network). With none, what it knows is a gap of every diagnosis.',
      ),
    vpc: z
      .strictObject({
        subnetIds: ids('subnet')
          .max(16)
          .default([])
          .describe(
            'With access vpc: subnets of the function. They need a way to the API server and to the nodes, and none to the internet.',
          ),
        securityGroupIds: ids('sg')
          .max(5)
          .default([])
          .describe(
            'With access vpc: security groups of the function. That of the cluster must let them in on port 443, those of the nodes on 10250.',
          ),
      })
      .prefault({}),
  })
  .refine(
    ({ access, vpc }) => access !== 'vpc' || (vpc.subnetIds.length > 0 && vpc.securityGroupIds.length > 0),
    {
      message: 'must name at least one subnet and one security group under vpc, because access is vpc',
    },
  )
  .refine(({ access, vpc }) => access === 'vpc' || vpc.subnetIds.length + vpc.securityGroupIds.length === 0, {
    message: 'must name no subnet and no security group, because access is not vpc',
  });
export const Harm = z.strictObject({
  availablePoints: z
    .number()
    .min(1)
    .max(100)
    .default(10)
    .describe('Percentage points of memory that may be less available after a treatment than before it.'),
  stalledPoints: z
    .number()
    .min(1)
    .max(100)
    .default(10)
    .describe('Percentage points of time (memory PSI, avg10) that tasks may wait longer for memory.'),
  throttledPoints: z
    .number()
    .min(1)
    .max(100)
    .default(20)
    .describe(
      'Percentage points of its CPU periods in which the worst cgroup may be throttled more: a look of two seconds sees only twenty periods.',
    ),
  directStallsPerSecond: z
    .number()
    .min(0)
    .max(10_000)
    .default(10)
    .describe('Tasks a second more that may have to reclaim memory themselves (allocstall).'),
  cgroupsPercent: z
    .number()
    .min(1)
    .max(1000)
    .default(20)
    .describe('Percent by which memory cgroups, the living and all, may become more; a hundred always may.'),
});
export type Harm = z.infer<typeof Harm>;

const Diagnosing = z.strictObject({
  shadow: z
    .array(CauseId.exclude(['healthy', 'inconclusive']))
    .max(20)
    .default([])
    .describe(
      'Causes whose rules only watch here: what they find is reported, and nothing is done about it. For a rule that has still to earn trust.',
    ),
});

const Alarms = z.strictObject({
  containerInsights: z
    .boolean()
    .default(false)
    .describe(
      'Whether the cluster publishes to Container Insights, so that there are alarms on failed nodes and on memory as well.',
    ),
});

const Agents = z.strictObject({
  neverTouch: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9:_.@\\-]{1,255}$/, 'must be the name of a service, such as my-agent.service'),
    )
    .max(100)
    .default([])
    .describe(
      'Services that no plan contains or disables, whatever they do, by their names, with or without .service: agents of yours that a node must not be without. Those of the system, of Kubernetes and of usual security, storage and network agents are on a list of their own (ssm-documents/scripts/lib/protected.sh).',
    ),
});

const Verification = z.strictObject({
  windowSeconds: seconds(2, 3600).default(600).describe('How long the node is watched after a treatment.'),
  samples: z
    .int()
    .min(5)
    .max(30)
    .default(6)
    .describe('Looks at the node over that window. Fewer than five never prove a cure.'),
  harm: Harm.prefault({}),
});

/** One setting for every treatment that changes something. */
function needByTreatment() {
  type Changing = Exclude<TreatmentId, 'notify'>;
  const changing = TreatmentId.options.filter((id): id is Changing => id !== 'notify');
  const entries = changing.map((id) => [
    id,
    Need.optional().describe(`Who agrees to ${id}, whatever its risk.`),
  ]);
  return Object.fromEntries(entries) as Record<Changing, z.ZodOptional<typeof Need>>;
}

const Policy = z.strictObject({
  risk: z
    .strictObject({
      low: Need.default('auto').describe('Who agrees to treatments of low risk.'),
      medium: Need.default('approve').describe('Who agrees to treatments of medium risk.'),
      high: Need.default('approve').describe('Who agrees to treatments of high risk.'),
    })
    .prefault({}),
  treatments: z.strictObject(needByTreatment()).prefault({}),
});

const Approval = z.strictObject({
  expirySeconds: z
    .strictObject({
      low: seconds(1, 14_400)
        .default(1800)
        .describe('Seconds until an unanswered approval of low risk expires.'),
      medium: seconds(1, 14_400).default(1800).describe('The same for medium risk.'),
      high: seconds(1, 14_400)
        .default(7200)
        .describe('The same for high risk: the person may have to ask others first.'),
    })
    .prefault({}),
  onePersonTeam: z
    .boolean()
    .default(false)
    .describe('Lets people approve what they started by hand. For teams of one; each use is in the audit.'),
});

const Cluster = z.strictObject({
  initialMode: Mode.default('observe').describe(
    'Mode of a first deployment. Later changes are made in the parameter /cgroup-medic/CLUSTER/mode, without a deployment.',
  ),
  policy: Policy.prefault({}),
  reclaim: ReclaimSettings.prefault({}),
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
  approval: Approval.prefault({}),
});
export type Cluster = z.infer<typeof Cluster>;

/** Everything a platform team can set; parsed once when the app is synthesized and shipped with every function. */
export const Settings = z.strictObject({
  clusters: z
    .record(z.string().regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, 'must be an EKS cluster name'), Cluster)
    .refine((clusters) => Object.keys(clusters).length > 0, 'must name at least one cluster'),
  lease: z
    .strictObject({
      seconds: seconds(900, 86_400)
        .default(2700)
        .describe(
          'Life of a node’s lease. Every phase renews it, and no wait between two phases is longer than 720; it outlives a crashed incident by at most this long.',
        ),
    })
    .prefault({}),
  command: z
    .strictObject({
      deliverySeconds: seconds(30, 3600)
        .default(60)
        .describe(
          'Seconds within which the node’s agent must have taken a command. The service allows no less than 30.',
        ),
      pollSeconds: seconds(1, 60)
        .default(2)
        .describe('First wait between two looks at a running command; it doubles from look to look.'),
      maxPollSeconds: seconds(1, 300)
        .default(20)
        .describe('Longest wait between two looks at a running command.'),
      evidenceSeconds: seconds(2, 600)
        .default(90)
        .describe('Seconds, delivery included, after which an examination counts as unanswered.'),
    })
    .prefault({}),
  janitor: z
    .strictObject({
      settleSeconds: seconds(0, 60)
        .default(40)
        .describe(
          'Seconds that the janitor gives functions of a dead execution to come to their end before it looks.',
        ),
      undoSeconds: seconds(5, 200)
        .default(180)
        .describe('Seconds that the janitor waits for an undo on the node; its function may run for 300.'),
    })
    .prefault({}),
  intake: z
    .strictObject({
      alarmPrefixes: z
        .array(
          z
            .string()
            .regex(/^[A-Za-z0-9][\w./-]{2,99}$/, 'must be at least three characters of an alarm name'),
        )
        .min(1)
        .max(10)
        .default(['cgroup-medic-'])
        .describe(
          'What the names of CloudWatch alarms begin with that open incidents. All others are left alone.',
        ),
      webhook: z
        .strictObject({
          enabled: z
            .boolean()
            .default(true)
            .describe(
              'Whether there is a public address, with a bearer token, for a self-managed Alertmanager. Switch it off where you have none.',
            ),
          reservedConcurrency: z
            .int()
            .min(0)
            .max(100)
            .default(5)
            .describe(
              'Requests that the webhook takes at the same time: whoever finds its address can call it, and each call costs. 0 reserves none, for accounts whose whole concurrency is too small to keep 5 apart.',
            ),
        })
        .prefault({}),
    })
    .prefault({}),
  notify: z
    .strictObject({
      emails: z
        .array(z.email())
        .max(10)
        .default([])
        .describe(
          'Addresses that get every message of the medic. Each has to confirm once. Empty: subscribe something to the topic in the output NotificationTopicArn, or nobody hears of anything.',
        ),
    })
    .prefault({}),
  prometheus: z
    .strictObject({
      workspaceArn: z
        .string()
        .regex(
          /^arn:aws[a-z-]*:aps:[a-z0-9-]+:\d{12}:workspace\/ws-[0-9a-f-]+$/,
          'must be the ARN of a workspace, such as arn:aws:aps:REGION:ACCOUNT:workspace/ws-0123',
        )
        .optional()
        .describe(
          'A workspace of Amazon Managed Prometheus, in this region, that gets the rules of prometheus/rules. Left out: none.',
        ),
    })
    .prefault({}),
  audit: z
    .strictObject({
      retentionDays: z
        .literal([90, 180, 365, 400, 545, 731, 1827, 3653])
        .default(400)
        .describe(
          'How long the audit log group keeps entries: thirteen months, so that a yearly review sees its year.',
        ),
    })
    .prefault({}),
});
export type Settings = z.infer<typeof Settings>;
