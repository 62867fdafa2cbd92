import * as z from 'zod';

/** A key that EC2 takes for a tag and Kubernetes for a label: an optional DNS name and a slash, then at most 63 characters. */
const key =
  /^(?=.{1,128}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

export const Veto = z.strictObject({
  key: z
    .string()
    .regex(key, 'must be a key for a tag and a label, such as cgroup-medic/veto')
    .default('cgroup-medic/veto')
    .describe(
      'Nothing is done to an instance that has a tag with this key, or whose node has a label with it, whatever its value: that is taken for the reason.',
    ),
  nodeLabel: z
    .boolean()
    .default(true)
    .describe(
      'Whether the label counts as well, where api.access opens a way to the API server. Then an API server that does not answer keeps every treatment of the cluster away.',
    ),
});
export type Veto = z.infer<typeof Veto>;
