import { beforeEach, describe, expect, it, vi } from 'vitest';
import { clusterSettings } from '../../../lambdas/adapters/settings-file.ts';
import { Settings } from '../../../lambdas/domain/settings.ts';

const whole = {
  STATE_TABLE: 'state',
  AUDIT_TABLE: 'audit',
  AUDIT_LOG_GROUP: 'group',
  NOTIFY_TOPIC_ARN: 'arn',
  SIGNING_KEY_ID: 'key',
  MODE_PARAMETER_PREFIX: '/cgroup-medic',
  DOCUMENTS: JSON.stringify({ reclaim: { name: 'stack-reclaim', contentDigest: 'd'.repeat(64) } }),
  SOFTWARE_VERSION: '0.1.0',
};

beforeEach(() => {
  vi.unstubAllEnvs();
  // The environment is read once per cold start.
  vi.resetModules();
});

async function environmentOf(values: Record<string, string | undefined>) {
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
  return (await import('../../../lambdas/adapters/environment.ts')).environment();
}

describe('environment', () => {
  it('reads the documents of this deployment', async () => {
    expect((await environmentOf(whole)).DOCUMENTS.reclaim?.name).toBe('stack-reclaim');
  });

  it.each([
    ['AUDIT_TABLE', undefined],
    ['STATE_TABLE', ''],
    ['MODE_PARAMETER_PREFIX', 'cgroup-medic'],
    ['DOCUMENTS', 'not JSON'],
    ['DOCUMENTS', '{"reclaim":{"name":"x","contentDigest":"short"}}'],
  ])('refuses %s as %j by its name', async (name, value) => {
    await expect(environmentOf({ ...whole, [name]: value })).rejects.toThrow(
      new RegExp(`the function's environment is wrong, deploy the stack again: ${name}`),
    );
  });

  it('never shows a value', async () => {
    await expect(environmentOf({ ...whole, DOCUMENTS: 'do-not-print' })).rejects.not.toThrow('do-not-print');
  });
});

describe('clusterSettings', () => {
  const settings = Settings.parse({ clusters: { prod: {} } });

  it.each(['test', 'toString', ''])('has no settings for cluster %j, which is not configured', (name) => {
    expect(() => clusterSettings(settings, name)).toThrow(
      `cluster "${name}" is not configured; configured are: prod`,
    );
  });
});
