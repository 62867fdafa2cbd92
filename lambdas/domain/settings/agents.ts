import * as z from 'zod';

export const Agents = z.strictObject({
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
