import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { uniqueIdOf } from '../../../lambdas/adapters/iam-ids.ts';
import type { Principal } from '../../../lambdas/domain/approval/person.ts';

const asked: { url: string; form: Record<string, string>; authorization: string }[] = [];
let answer: () => Response | Promise<Response>;

const roleText = (arn: string) =>
  `<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><Path>/x/</Path><Arn>${arn}</Arn><RoleName>admin</RoleName><RoleId>AROAEXAMPLE</RoleId></Role></GetRoleResult></GetRoleResponse>`;
const role = (arn: string) => new Response(roleText(arn));
const user = (arn: string) =>
  new Response(
    `<GetUserResponse><GetUserResult><User><UserName>bob</UserName><UserId>AIDABOB</UserId><Arn>${arn}</Arn></User></GetUserResult></GetUserResponse>`,
  );
const admin: Principal = { kind: 'role', name: 'admin', arn: 'arn:aws:iam::111122223333:role/admin' };
const bob: Principal = { kind: 'user', name: 'bob', arn: 'arn:aws:iam::111122223333:user/staff/bob' };

beforeEach(() => {
  asked.length = 0;
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'LOCALONLY');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local-only');
  vi.stubEnv('AWS_ENDPOINT_URL', undefined);
  vi.stubEnv('AWS_ENDPOINT_URL_IAM', undefined);
  vi.stubGlobal('fetch', async (url: URL, init: { body: string; headers: Record<string, string> }) => {
    const form = Object.fromEntries(new URLSearchParams(init.body));
    asked.push({ url: url.href, form, authorization: init.headers.authorization ?? '' });
    return answer();
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe('the unique id', () => {
  it('of a role is asked for by its name, wherever its path has put it', async () => {
    answer = () => role('arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/admin');
    expect(await uniqueIdOf(admin)).toBe('AROAEXAMPLE');
    expect(asked).toMatchObject([{ form: { Action: 'GetRole', Version: '2010-05-08', RoleName: 'admin' } }]);
  });

  it('of a user too', async () => {
    answer = () => user(bob.arn);
    expect(await uniqueIdOf(bob)).toBe('AIDABOB');
    expect(asked).toMatchObject([{ form: { Action: 'GetUser', UserName: 'bob' } }]);
  });

  it.each([
    ['eu-central-1', 'https://iam.amazonaws.com/', 'us-east-1'],
    ['cn-northwest-1', 'https://iam.cn-north-1.amazonaws.com.cn/', 'cn-north-1'],
    ['us-gov-east-1', 'https://iam.us-gov.amazonaws.com/', 'us-gov-west-1'],
  ])('is asked for from %s at the one IAM of its partition', async (region, url, signedFor) => {
    vi.stubEnv('AWS_REGION', region);
    answer = () => role(admin.arn);
    await uniqueIdOf(admin);
    expect(asked[0]?.url).toBe(url);
    expect(asked[0]?.authorization).toContain(`/${signedFor}/iam/aws4_request`);
  });

  it.each([
    ['another account', () => role('arn:aws:iam::999999999999:role/admin')],
    ['another name', () => role('arn:aws:iam::111122223333:role/admin/other')],
    ['a user of the name', () => role('arn:aws:iam::111122223333:user/admin')],
  ])('of %s is not taken', async (_, other) => {
    answer = other;
    await expect(uniqueIdOf(admin)).rejects.toThrow('and that is not arn:aws:iam::111122223333:role/admin');
  });

  it.each([
    [
      'refuses',
      () =>
        new Response('<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>', {
          status: 403,
        }),
    ],
    ['fails', () => new Response(roleText(admin.arn), { status: 500 })],
    ['says something else', () => new Response('hello')],
    [
      'says no id',
      () =>
        new Response(
          '<GetRoleResponse><GetRoleResult><Role><Arn>x</Arn></Role></GetRoleResult></GetRoleResponse>',
        ),
    ],
    ['does not answer', () => Promise.reject(new Error('no route'))],
  ])('is an error where IAM %s', async (_, other) => {
    answer = other;
    await expect(uniqueIdOf(admin)).rejects.toThrow('iam:GetRole was not answered');
  });
});
