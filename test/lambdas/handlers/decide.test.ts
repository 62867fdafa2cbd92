import { expect, it, vi } from 'vitest';

it('takes no decision by the local door in an account: who came by it would be whoever they say', async () => {
  const names = [
    ...[
      'STATE_TABLE',
      'AUDIT_TABLE',
      'AUDIT_LOG_GROUP',
      'NOTIFY_TOPIC_ARN',
      'SIGNING_KEY_ID',
      'SOFTWARE_VERSION',
    ],
  ];
  for (const name of names) vi.stubEnv(name, 'x');
  vi.stubEnv('MODE_PARAMETER_PREFIX', '/x');
  vi.stubEnv('DOCUMENTS', '{}');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('ONE_MACHINE', undefined);
  const { handler } = await import('../../../lambdas/handlers/decide.ts');
  const input = { approvalId: 'a', decision: 'approve', by: { person: 'root', door: 'local' } };

  expect(await handler(input)).toEqual({
    status: 'refused',
    reason: 'the local door is open on one machine only: use Slack or the console',
  });
});
