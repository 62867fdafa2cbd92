import { MedicError } from './medic-error.ts';

/**
 * What the bundles have in the place of `@smithy/core/event-streams`, which the SDK loads late. No call that is made here streams events; and with
 * a part that is loaded late in it, a bundle is cut into pieces of which none can be left out, and each costs a cold start.
 */
export function eventStreamSerdeProvider(): never {
  throw new MedicError(
    'this bundle has no event streams: take their place in cdk/constructs/bundles.ts away',
  );
}

export class EventStreamSerde {
  constructor() {
    eventStreamSerdeProvider();
  }
}

/** The clients of services that have such calls as well ask for this when they are made. */
export function resolveEventStreamSerdeConfig<T>(config: T): T {
  return config;
}
