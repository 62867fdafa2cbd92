import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConsole } from '../../../lambdas/adapters/instance-console.ts';
import { nodeNamesOf } from '../../../lambdas/adapters/instance-names.ts';

const instanceId = 'i-0123456789abcdef0';
/** What EC2 was asked, and what it answers to that. */
let asked: Record<string, string>[];
let answer: (form: Record<string, string>) => { status?: number; xml: string };

beforeEach(() => {
  asked = [];
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'LOCALONLY');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local-only');
  vi.stubGlobal('fetch', async (_: URL, { body }: { body: string }) => {
    const { Version: _version, ...form } = Object.fromEntries(new URLSearchParams(body));
    if (asked.push(form) > 5) throw new Error('it is asked for ever');
    const { status = 200, xml } = answer(form);
    return new Response(xml, { status });
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const refusal = (code: string, message: string) => ({
  status: 400,
  xml: `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>r</RequestID></Response>`,
});

describe('the console of an instance', () => {
  const console = (output: string) => ({
    xml: `<GetConsoleOutputResponse><requestId>r</requestId><instanceId>${instanceId}</instanceId>${output}</GetConsoleOutputResponse>`,
  });
  // EC2 breaks the lines of what it encodes.
  const output = `<output>${Buffer.from(
    '[1.000000] Out of memory: Killed process 9 (kubelet) total-vm:1kB\r\n',
  )
    .toString('base64')
    .replace(/.{40}/g, '$&\n')}</output>`;

  it('is the latest that there is', async () => {
    answer = () => console(output);
    expect(await readConsole(instanceId)).toMatchObject({ status: 'ok', value: { ofKubelet: 1 } });
    expect(asked).toEqual([{ Action: 'GetConsoleOutput', InstanceId: instanceId, Latest: 'true' }]);
  });

  it('is what there is, for an instance that has no latest', async () => {
    answer = ({ Latest }) =>
      Latest === undefined ? console(output) : refusal('UnsupportedOperation', 'no latest');
    expect(await readConsole(instanceId)).toMatchObject({ status: 'ok', value: { ofKubelet: 1 } });
    expect(asked).toHaveLength(2);
  });

  it('of which neither can be had is an error, and is not asked for for ever', async () => {
    answer = () => refusal('UnsupportedOperation', 'not here');
    await expect(readConsole(instanceId)).rejects.toThrow('not here');
    expect(asked).toHaveLength(2);
  });

  it.each(['', '<output/>', `<output>${Buffer.from(' \r\n').toString('base64')}</output>`])(
    'that is empty (%s) is missing, and no sign of health',
    async (empty) => {
      answer = () => console(empty);
      expect(await readConsole(instanceId)).toMatchObject({ status: 'missing' });
    },
  );

  it('that must not be read is an error of the caller', async () => {
    answer = () => refusal('UnauthorizedOperation', 'You are not authorized to perform this operation');
    await expect(readConsole(instanceId)).rejects.toThrow(
      'ec2:GetConsoleOutput was refused with UnauthorizedOperation (HTTP 400): You are not authorized',
    );
    expect(asked).toHaveLength(1);
  });
});

describe('the names that the node of an instance may have', () => {
  const reservations = (instances: string) => ({
    xml: `<DescribeInstancesResponse><requestId>r</requestId><reservationSet>${instances}</reservationSet></DescribeInstancesResponse>`,
  });
  const instance = (name: string) =>
    `<item><instancesSet><item><instanceId>${instanceId}</instanceId>${name}</item></instancesSet></item>`;

  it('are its private name, and its id', async () => {
    answer = () => reservations(instance('<privateDnsName>ip-10-0-0-1.ec2.internal</privateDnsName>'));
    expect(await nodeNamesOf(instanceId)).toEqual(['ip-10-0-0-1.ec2.internal', instanceId]);
    expect(asked).toEqual([
      {
        Action: 'DescribeInstances',
        'Filter.1.Name': 'instance-id',
        'Filter.1.Value.1': instanceId,
      },
    ]);
  });

  it.each([
    ['is terminated and has no name any more', instance('<privateDnsName/>')],
    ['EC2 does not name', instance('')],
    ['EC2 does not know', ''],
  ])('are the id alone for an instance that %s', async (_, instances) => {
    answer = () => reservations(instances);
    expect(await nodeNamesOf(instanceId)).toEqual([instanceId]);
  });
});
