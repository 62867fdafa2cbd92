import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * What the bundles have in the place of `@aws-sdk/credential-provider-node`. Lambda gives a function the credentials of its role
 * in its environment; profiles, single sign-on and the metadata of instances have no place there, and would only be asked when
 * something is wrong. Where the environment has none, every call fails and says so.
 */
export function defaultProvider(): ReturnType<typeof fromEnv> {
  return fromEnv();
}
