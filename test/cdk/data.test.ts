import { beforeAll, describe, expect, it } from 'vitest';
import { resourcesOf, synthesize, type Template } from './template.ts';

let template: Template;
beforeAll(() => {
  template = synthesize();
});

const idsWhere = (wanted: (resource: Template['Resources'][string]) => boolean) =>
  Object.entries(template.Resources)
    .filter(([, resource]) => wanted(resource))
    .map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))
    .sort();

describe('removing the stack', () => {
  it('keeps the audit and the key that signed it, and nothing else', () => {
    expect(idsWhere(({ DeletionPolicy }) => DeletionPolicy === 'Retain')).toEqual([
      'AuditLog',
      'AuditTable',
      'SigningKey',
    ]);
    expect(idsWhere(({ UpdateReplacePolicy }) => UpdateReplacePolicy === 'Retain')).toEqual([
      'AuditLog',
      'AuditTable',
      'SigningKey',
    ]);
  });

  it('cannot take the audit with it even where somebody changes its policy', () => {
    expect(
      idsWhere(
        ({ Type, Properties }) =>
          Type === 'AWS::DynamoDB::Table' && Properties.DeletionProtectionEnabled === true,
      ),
    ).toEqual(['AuditTable']);
    expect(
      idsWhere(
        ({ Type, Properties }) =>
          Type === 'AWS::Logs::LogGroup' && Properties.DeletionProtectionEnabled === true,
      ),
    ).toEqual(['AuditLog']);
  });

  it('leaves a key that signs and does nothing else, and of which only the public half can be had', () => {
    const [key] = resourcesOf(template, 'AWS::KMS::Key').filter(
      ({ DeletionPolicy }) => DeletionPolicy === 'Retain',
    );
    expect(key?.Properties).toMatchObject({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    // The longest wait that KMS has, in which a deletion can be taken back.
    expect(key?.Properties.PendingWindowInDays ?? 30).toBe(30);
  });

  it('deletes no entry while it is there: no function has the right to', () => {
    const actions = JSON.stringify(
      resourcesOf(template, 'AWS::IAM::Policy').map(({ Properties }) => Properties),
    );
    expect(actions).toContain('dynamodb:PutItem');
    expect(actions).not.toMatch(
      /dynamodb:(Delete|BatchWrite)|logs:Delete(LogGroup|LogStream|Retention)|logs:PutRetention|kms:(Schedule|Disable)|"(dynamodb|logs|kms):\*"/,
    );
  });
});

describe('every table', () => {
  it('is paid by use and can be restored to any second of the last weeks', () => {
    const tables = resourcesOf(template, 'AWS::DynamoDB::Table');
    expect(tables.length).toBeGreaterThan(1);
    for (const { Properties } of tables) {
      expect(Properties).toMatchObject({
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      });
      // Encrypted with a key that DynamoDB owns; it cannot be switched off.
      expect(Properties.SSESpecification).toBeUndefined();
    }
  });

  it('of things that are over forgets them, and that of the audit forgets nothing', () => {
    expect(
      idsWhere(
        ({ Type, Properties }) =>
          Type === 'AWS::DynamoDB::Table' && Properties.TimeToLiveSpecification !== undefined,
      ),
    ).toEqual(['StateTable']);
  });
});

describe('every log group', () => {
  it('has an end, and is of the kind whose encryption cannot be switched off', () => {
    const groups = resourcesOf(template, 'AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(20);
    for (const { Properties } of groups) {
      expect([90, 400]).toContain(Properties.RetentionInDays);
      expect(Properties.LogGroupClass).toBeUndefined();
    }
  });

  it('of a function is named, so that Lambda makes none without an end', () => {
    for (const { Properties } of resourcesOf(template, 'AWS::Lambda::Function')) {
      expect(Properties.LoggingConfig).toMatchObject({ LogGroup: expect.anything() });
    }
  });
});

describe('every queue', () => {
  it('is encrypted, and lets nobody in without TLS', () => {
    const queues = idsWhere(({ Type }) => Type === 'AWS::SQS::Queue');
    const policies = JSON.stringify(resourcesOf(template, 'AWS::SQS::QueuePolicy'));
    expect(queues.length).toBeGreaterThan(0);
    for (const { Properties } of resourcesOf(template, 'AWS::SQS::Queue')) {
      expect(Properties.SqsManagedSseEnabled).toBe(true);
    }
    for (const queue of queues)
      expect(policies).toMatch(new RegExp(`"Queues":\\[\\{"Ref":"${queue}[0-9A-F]{8}"`));
    expect(policies.match(/"aws:SecureTransport":"false"/g)).toHaveLength(queues.length);
  });
});
