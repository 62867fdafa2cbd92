import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeTags, Ec2Error, Ec2UnreachableError } from '../../../lambdas/adapters/ec2-query.ts';
import { endStandIn, standInFor } from './at-the-wire.ts';

type Asked = { headers: IncomingMessage['headers']; form: Record<string, string> };
type Answer = (response: ServerResponse) => void;

let asked: Asked[];
/** What EC2 answers, call by call; the last one stays. */
let answers: Answer[];
const service = createServer(async (message, response) => {
  const form = Object.fromEntries(new URLSearchParams(await text(message)));
  const answer = answers[Math.min(asked.length, answers.length - 1)];
  asked.push({ headers: message.headers, form });
  answer?.(response);
});

const xml =
  (body: string, status = 200): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'text/xml' }).end(`<?xml version="1.0"?>\n${body}`);
const tags = (content: string) =>
  xml(`<DescribeTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>r-1</requestId>${content}</DescribeTagsResponse>`);
const refusal = (code: string, status: number, message = 'no') =>
  xml(
    `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>r-2</RequestID></Response>`,
    status,
  );
const item = (resourceId: string, value: string) =>
  `<item><resourceId>${resourceId}</resourceId><resourceType>instance</resourceType><key>k</key><value>${value}</value></item>`;

const ask = () => describeTags({ 'resource-id': ['i-1', 'i-2'], key: ['k'] });

beforeEach(async () => {
  asked = [];
  answers = [];
  await standInFor('EC2', service);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await endStandIn(service);
});

describe('tags of instances', () => {
  it('are asked for in the form of the API, signed for EC2 in the region of the function', async () => {
    answers = [tags('<tagSet/>')];

    expect(await ask()).toEqual([]);

    const [{ headers, form } = { headers: {}, form: {} }, ...more] = asked;
    expect(more).toEqual([]);
    expect(form).toEqual({
      Action: 'DescribeTags',
      Version: '2016-11-15',
      'Filter.1.Name': 'resource-id',
      'Filter.1.Value.1': 'i-1',
      'Filter.1.Value.2': 'i-2',
      'Filter.2.Name': 'key',
      'Filter.2.Value.1': 'k',
    });
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=LOCALONLY\/\d{8}\/eu-central-1\/ec2\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/,
    );
    expect(headers['x-amz-security-token']).toBe('of-the-session');
  });

  it('are one, several, or of a value that is empty or escaped', async () => {
    answers = [
      tags(`<tagSet>${item('i-1', 'a &amp; b')}</tagSet>`),
      tags(`<tagSet>\n${item('i-1', '')}\n${item('i-2', 'x')}</tagSet>`),
    ];

    expect(await ask()).toEqual([{ resourceId: 'i-1', key: 'k', value: 'a & b' }]);
    expect((await ask()).map(({ value }) => value)).toEqual(['', 'x']);
  });

  it('that do not fit on a page are an error, and no shorter list', async () => {
    answers = [tags(`<tagSet>${item('i-1', 'x')}</tagSet><nextToken>more</nextToken>`)];
    await expect(ask()).rejects.toThrow('more than one page');
  });

  it('that cannot be read are an error, and no empty list', async () => {
    answers = [tags('')];
    await expect(ask()).rejects.toThrow('the answer to ec2:DescribeTags cannot be read');
  });

  it.each([
    ['eu-central-1', 'https://ec2.eu-central-1.amazonaws.com/'],
    ['cn-north-1', 'https://ec2.cn-north-1.amazonaws.com.cn/'],
  ])('are asked for in %s at the service there', async (region, expected) => {
    const urls: string[] = [];
    vi.stubEnv('AWS_REGION', region);
    vi.stubEnv('AWS_ENDPOINT_URL_EC2', undefined);
    vi.stubGlobal('fetch', async (url: URL) => {
      urls.push(url.href);
      return new Response('<DescribeTagsResponse><tagSet/></DescribeTagsResponse>');
    });

    await ask();

    expect(urls).toEqual([expected]);
  });
});

describe('a refusal of EC2', () => {
  it('is an error with its code, status, words and request, and is not asked for again', async () => {
    answers = [refusal('UnauthorizedOperation', 403, 'You are not authorized to perform ec2:DescribeTags')];

    const error = await ask().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(Ec2Error);
    expect(error).toMatchObject({
      name: 'Ec2Error',
      code: 'UnauthorizedOperation',
      status: 403,
      message:
        'ec2:DescribeTags was refused with UnauthorizedOperation (HTTP 403): You are not authorized to perform ec2:DescribeTags',
      context: { requestId: 'r-2' },
    });
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['a throttle', refusal('RequestLimitExceeded', 503)],
    ['a throttle with another status', refusal('Throttling', 400)],
    ['a fault of the service', refusal('InternalError', 500)],
    ['something on the way', xml('<html><body>Bad gateway', 502)],
    ['a connection that breaks', (response: ServerResponse) => void response.destroy()],
  ])('that passes, %s, is tried again', async (_, passing) => {
    answers = [passing, passing, tags('<tagSet/>')];

    expect(await ask()).toEqual([]);
    expect(asked).toHaveLength(3);
  });

  it.each([
    // Many incidents may be throttled together, and all get through within some seconds.
    ['RequestLimitExceeded', 503, 5],
    ['InternalError', 500, 3],
  ])('that does not pass, %s, is told after some tries', async (code, status, tries) => {
    vi.spyOn(Math, 'random').mockReturnValue(0.01);
    answers = [refusal(code, status)];
    await expect(ask()).rejects.toMatchObject({ code });
    expect(asked).toHaveLength(tries);
  });
});

it('says where it could not get an answer, and why', async () => {
  answers = [(response) => void response.destroy()];

  const error = await ask().catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(Ec2UnreachableError);
  expect(error).toMatchObject({
    name: 'Ec2UnreachableError',
    message: expect.stringMatching(/^ec2:DescribeTags: 127\.0\.0\.1:\d+ gave no answer: \S/),
  });
  expect(asked).toHaveLength(3);
});

it('takes an answer that is none of EC2 for an error, whatever its status', async () => {
  answers = [(response) => void response.end('hello')];
  await expect(ask()).rejects.toThrow('UnreadableAnswer (HTTP 200)');
});
