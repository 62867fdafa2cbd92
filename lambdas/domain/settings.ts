import * as z from 'zod';

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
  /**
   * Slices that reclaim may touch, with everything below them. `/kubepods.slice` and `/kubepods` are not among the
   * defaults: on cgroup v1 the reclaim empties the page cache of the pods as well.
   */
  slices: z
    .array(slicePath)
    .max(20)
    .default(['/user.slice', '/system.slice', '/runtime.slice', '/init.scope']),
  /** Ceiling for the CPU that reclaim uses, in percent of one CPU, averaged over its run. */
  cpuPercent: z.literal([1, 2, 5, 10, 20, 50]).default(5),
  /** How long one reclaim may run. */
  maxSeconds: z.literal([10, 30, 60, 120, 300, 600, 1200]).default(300),
  /** Memory PSI `full avg10` above which reclaim stops; 0 switches the limit off. */
  psiFullLimit: z.literal([0, 10, 20, 40]).default(20),
});

const Thresholds = z.strictObject({
  /**
   * Dying memory cgroups on one node that are a fault by number alone. A fresh node has 17–19 (measured on kernel 6.1);
   * at 20 KiB each on 2 CPUs, 2,000 cost about 40 MiB, and every walk of the tree visits them all.
   */
  dyingCount: z.int().min(50).max(1_000_000).default(2000),
  /** Share of the node's memory, in percent, that dying cgroups may cost before they are a fault, however few. */
  dyingMemoryPercent: z.number().min(0.1).max(50).default(2),
  /** Dying cgroups up to which a node counts as healthy: the floor of a fresh boot with room to spare. */
  dyingFloor: z.int().min(0).max(100_000).default(300),
  /**
   * Growth, in dying cgroups per hour, that verification still calls healthy: 2,000 (a fault) would take more than a
   * month at two per hour, and a 10-minute window cannot resolve less than six per hour anyway.
   */
  dyingPerHour: z.number().min(0).max(100_000).default(60),
});

const Verification = z.strictObject({
  /** How long the node is watched after a treatment. */
  windowSeconds: seconds(2, 3600).default(600),
  /** Looks at the node over that window; fewer than five never prove a cure. */
  samples: z.int().min(5).max(30).default(6),
});

const Policy = z.strictObject({
  risk: z
    .strictObject({
      low: Need.default('auto'),
      medium: Need.default('approve'),
      high: Need.default('approve'),
    })
    .prefault({}),
  /** Overrides by treatment id. */
  treatments: z.strictObject({ reclaim: Need.optional() }).prefault({}),
});

const Cluster = z.strictObject({
  /** Mode of a first deployment. Later changes are made in the parameter, without a deployment. */
  initialMode: Mode.default('observe'),
  policy: Policy.prefault({}),
  reclaim: ReclaimSettings.prefault({}),
  thresholds: Thresholds.prefault({}),
  verification: Verification.prefault({}),
  approval: z
    .strictObject({
      /** Seconds until an unanswered approval expires, by risk. */
      expirySeconds: z
        .strictObject({
          low: seconds(1, 86_400).default(1800),
          medium: seconds(1, 86_400).default(1800),
          high: seconds(1, 86_400).default(7200),
        })
        .prefault({}),
      /** Lets people approve what they started by hand: for teams of one, and recorded each time it is used. */
      onePersonTeam: z.boolean().default(false),
    })
    .prefault({}),
});
export type Cluster = z.infer<typeof Cluster>;

/** Everything a platform team can set; parsed once when the app is synthesized and shipped with every function. */
export const Settings = z.strictObject({
  clusters: z
    .record(z.string().regex(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, 'must be an EKS cluster name'), Cluster)
    .refine((clusters) => Object.keys(clusters).length > 0, 'must name at least one cluster'),
  lease: z
    .strictObject({
      /** A node's lease, renewed by every phase; it outlives a crashed incident by at most this long. */
      seconds: seconds(60, 86_400).default(2700),
    })
    .prefault({}),
  command: z
    .strictObject({
      /** Seconds within which the node's agent must have taken a command. The service allows no less than 30. */
      deliverySeconds: seconds(30, 3600).default(60),
      /** First wait between two looks at a running command; it doubles up to `maxPollSeconds`. */
      pollSeconds: seconds(1, 60).default(2),
      maxPollSeconds: seconds(1, 300).default(20),
      /** Seconds after which an examination counts as unanswered. */
      evidenceSeconds: seconds(2, 600).default(90),
    })
    .prefault({}),
  janitor: z
    .strictObject({
      /** Seconds that the janitor gives functions of a dead execution to come to their end before it looks. */
      settleSeconds: seconds(0, 60).default(20),
      /** Seconds that it waits for the undo on the node; its Lambda may run for 300. */
      undoSeconds: seconds(5, 200).default(180),
    })
    .prefault({}),
  audit: z
    .strictObject({ retentionDays: z.literal([90, 180, 365, 400, 545, 731, 1827, 3653]).default(400) })
    .prefault({}),
});
export type Settings = z.infer<typeof Settings>;
