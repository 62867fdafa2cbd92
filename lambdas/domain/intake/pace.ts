/**
 * How fast the intake starts incidents where there are more messages: so many in a batch, so many batches at a time, and no full batch
 * is over sooner than this. The alerts of one message start together. Each incident asks EC2 about its instance when it opens, and
 * about its tags at its gate; EC2 takes 20 such calls a second, and 100 at once
 * (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html).
 */
export const intakePace = { batch: 10, batchesAtOnce: 2, batchSeconds: 1 } as const;
