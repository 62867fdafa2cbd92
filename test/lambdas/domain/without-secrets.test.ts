import { describe, expect, it } from 'vitest';
import { AuditEntry, hashOf, nextEntry } from '../../../lambdas/domain/audit/entry.ts';
import { cleaned, removed, withoutSecrets } from '../../../lambdas/domain/audit/without-secrets.ts';
import { resolvedEntry } from '../../../lambdas/domain/intake/entry.ts';
import { sampleIncidents } from './audit-sample.ts';

const marked = 'MARKED0secret1value2';
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ${marked}.c2ln`;

describe('withoutSecrets', () => {
  it.each([
    [`Authorization: Bearer ${marked}`, `Authorization: Bearer ${removed}`],
    [`"authorization": "Basic ${marked}=="`, `"authorization": "Basic ${removed}"`],
    [`curl -H 'bearer ${marked}' x`, `curl -H 'bearer ${removed}' x`],
    [`--token=${marked} --v=2`, `--token=${removed} --v=2`],
    [`DB_PASSWORD=${marked}`, undefined],
    [`password: ${marked}, next`, `password: ${removed}, next`],
    [`{"client_secret":"${marked}","a":1}`, `{"client_secret":"${removed}","a":1}`],
    [`AWS_SECRET_ACCESS_KEY=${marked}`, undefined],
    [`api-key = ${marked}`, `api-key = ${removed}`],
    [`https://x/?X-Amz-Security-Token=${marked}&b=1`, `https://x/?X-Amz-Security-Token=${removed}&b=1`],
    [`it was ${jwt}.`, undefined],
    [`k8s-aws-v1.${marked}`, removed],
    [`xoxb-1234-${marked}`, removed],
    [`ghp_${marked}abcdef`, removed],
    [`-----BEGIN EC PRIVATE KEY-----\n${marked}\n-----END EC PRIVATE KEY-----\nnext`, `${removed}\nnext`],
    [`-----BEGIN PRIVATE KEY-----\n${marked}`, removed],
    [`postgres://app:${marked}@db:5432/x`, `postgres://${removed}@db:5432/x`],
  ])('removes the secret of %j', (text, expected) => {
    expect(withoutSecrets(text)).not.toContain(marked);
    expect(withoutSecrets(text)).toContain(removed);
    if (expected !== undefined) expect(withoutSecrets(text)).toBe(expected);
    expect(JSON.stringify(cleaned({ a: [{ b: text }] }))).not.toContain(marked);
  });

  it('removes access keys of AWS', () => {
    expect(withoutSecrets('the key AKIAIOSFODNN7EXAMPLE is')).toBe(`the key ${removed} is`);
  });

  it.each([
    'the approval has no task token; the wait ends by its time-out',
    'the secret is out: nothing was approved',
    'a87ff679a2f3e71d9181a67b7542122c04521ebc1a2a9d0e4b9f0c2a5a1d6f37',
    'i-0123456789abcdef0 of my-cluster, command 1b2c3d4e-0000-4000-8000-123456789012',
    'https://console.aws.amazon.com/cloudwatch/home?region=eu-central-1#alarmsV2:alarm/x',
    'arn:aws:states:us-east-1:000000000000:execution:CgroupMedic:run-1',
    'kubelet.service: 4263 dying, 200 MiB of cache kept; passed: the policy says auto',
    'ann@example.com decided: approve',
  ])('leaves %j as it is', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('takes no time that grows by the square of what a node may print', () => {
    for (const text of [
      'a.'.repeat(50_000),
      'token'.repeat(20_000),
      '-----BEGIN PRIVATE KEY-----'.repeat(2000),
      'eyJ'.repeat(30_000),
    ]) {
      expect(withoutSecrets(text).length).toBeLessThanOrEqual(text.length + removed.length);
    }
  });
});

describe('an audit entry', () => {
  const [one] = sampleIncidents(['prod']);
  const { hash: _, ...context } = AuditEntry.parse(JSON.parse(one?.texts[0] ?? ''));

  it('holds no secret that an alarm, a node or a service spelt out, and stays whole', () => {
    const said = `see http://x, Authorization: Bearer ${marked}`;
    const entry = nextEntry(
      undefined,
      {
        step: 'incident.opened',
        actor: { kind: 'alarm', id: 'a' },
        what: said,
        before: { text: said },
        after: { text: [said] },
        details: { alarm: { reason: said }, rawHead: said },
      },
      context,
    );

    expect(JSON.stringify(entry)).not.toContain(marked);
    expect(JSON.stringify(entry).split(removed)).toHaveLength(6);
    expect(hashOf(entry)).toBe(entry.hash);
  });

  it('keeps arguments, and what undoes a treatment, exactly', () => {
    const exact = { slices: 'token=abcdefgh' };
    const details = { undo: { document: 'reclaim-restore', arguments: exact } };
    const entry = nextEntry(
      undefined,
      { step: 'treatment.intended', actor: { kind: 'rule', id: 'x' }, what: 'x', arguments: exact, details },
      context,
    );

    expect(entry).toMatchObject({ arguments: exact, details });
  });
});

describe('a line about an alarm that has ended', () => {
  it('holds no secret of its text', () => {
    const alarm = {
      source: 'amp',
      eventId: 'e',
      target: { instanceId: 'i-1' },
      reason: `token=${marked}`,
    } as never;

    expect(JSON.stringify(resolvedEntry(alarm, { at: new Date(0), messageId: 'm' }))).not.toContain(marked);
  });
});
