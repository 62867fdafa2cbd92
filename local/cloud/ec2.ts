import type { RecordedAround } from '../node/recorded-around.ts';
import { escapeXml, type Service, ServiceError } from './wire.ts';

type Instance = {
  readonly instanceId: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly around?: RecordedAround;
  readonly privateDnsName?: string;
  readonly launchedAt?: Date;
  readonly imageId?: string;
  readonly zone?: string;
};

/** Of an instance that nobody gave one. */
const unnamedZone = 'us-east-1a';
const unnamedImage = 'ami-00000000000000000';
const hourMs = 3_600_000;

/** EC2: the tags, names and consoles of the nodes that are attached, in EC2's own form of the query protocol. */
export function ec2Service(instances: () => readonly Instance[]): Service {
  const instance = (instanceId: string): Instance => {
    const found = instances().find((one) => one.instanceId === instanceId);
    if (found === undefined) {
      throw new ServiceError('InvalidInstanceID.NotFound', `The instance ID '${instanceId}' does not exist`);
    }
    return found;
  };
  const answers: Record<string, (form: URLSearchParams) => string> = {
    DescribeTags: (form) => `<tagSet>${tagsOf(instances(), form)}</tagSet>`,
    DescribeInstances: (form) => {
      const id = form.get('InstanceId.1');
      const found = id === null ? instancesWith(instances(), form) : [instance(id)];
      const from = Number(form.get('NextToken') ?? 0);
      const to = from + Number(form.get('MaxResults') ?? found.length);
      const next = to < found.length ? `<nextToken>${to}</nextToken>` : '';
      return `<reservationSet>${found.slice(from, to).map(reservationOf).join('')}</reservationSet>${next}`;
    },
    GetConsoleOutput: (form) => {
      const { instanceId, around } = instance(form.get('InstanceId') ?? '');
      const output = Buffer.from((around?.console ?? []).map((line) => `${line}\r\n`).join('')).toString(
        'base64',
      );
      return `<instanceId>${escapeXml(instanceId)}</instanceId><output>${output}</output>`;
    },
  };
  return {
    name: 'ec2',
    file: 'local/cloud/ec2.ts',
    calls: Object.keys(answers),
    async answer({ call, body }, response) {
      const content = answers[call]?.(new URLSearchParams(body.toString('utf8'))) ?? '';
      const xml = `<${call}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>local</requestId>${content}</${call}Response>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
}

function tagsOf(instances: readonly Instance[], form: URLSearchParams): string {
  const filters = filtersOf(form);
  const wanted = (name: string, value: string): boolean => filters.get(name)?.includes(value) ?? true;
  return instances
    .flatMap(({ instanceId, tags = {} }) =>
      Object.entries(tags)
        .filter(([key]) => wanted('resource-id', instanceId) && wanted('key', key))
        .map(
          ([key, value]) =>
            `<item><resourceId>${escapeXml(instanceId)}</resourceId><resourceType>instance</resourceType><key>${escapeXml(key)}</key><value>${escapeXml(value)}</value></item>`,
        ),
    )
    .join('');
}

/** All of those that are here run. */
function instancesWith(all: readonly Instance[], form: URLSearchParams): Instance[] {
  const filters = [...filtersOf(form)];
  return all.filter((instance) => {
    const { instanceId, tags = {} } = instance;
    return filters.every(([name, values]) => {
      if (name === 'instance-id') return values.includes(instanceId);
      if (name === 'private-dns-name') return values.includes(nameOf(instance));
      if (name === 'instance-state-name') return values.includes('running');
      const [, key] = /^tag:(.+)$/.exec(name) ?? [];
      if (key === undefined) {
        throw new ServiceError('InvalidParameterValue', `The filter '${name}' is unknown here`);
      }
      return values.includes(tags[key] ?? '');
    });
  });
}

function nameOf({ privateDnsName, around }: Instance): string {
  return privateDnsName ?? around?.cluster?.node.metadata.name ?? '';
}

function reservationOf(instance: Instance): string {
  const { instanceId, tags = {}, launchedAt, imageId = unnamedImage, zone = unnamedZone } = instance;
  const name = nameOf(instance);
  const items = Object.entries(tags)
    .map(([key, value]) => `<item><key>${escapeXml(key)}</key><value>${escapeXml(value)}</value></item>`)
    .join('');
  const launched = launchedAt ?? new Date(Date.now() - hourMs);
  return `<item><instancesSet><item><instanceId>${escapeXml(instanceId)}</instanceId><imageId>${escapeXml(imageId)}</imageId><privateDnsName>${escapeXml(name)}</privateDnsName><instanceState><code>16</code><name>running</name></instanceState><launchTime>${launched.toISOString()}</launchTime><placement><availabilityZone>${escapeXml(zone)}</availabilityZone><tenancy>default</tenancy></placement><tagSet>${items}</tagSet></item></instancesSet></item>`;
}

/** `Filter.1.Name=key`, `Filter.1.Value.1=…`, and so on. */
function filtersOf(form: URLSearchParams): Map<string, string[]> {
  const filters = new Map<string, string[]>();
  for (let index = 1; form.has(`Filter.${index}.Name`); index += 1) {
    const values = [...form]
      .filter(([name]) => name.startsWith(`Filter.${index}.Value.`))
      .map(([, value]) => value);
    filters.set(form.get(`Filter.${index}.Name`) ?? '', values);
  }
  return filters;
}
