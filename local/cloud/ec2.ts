import { escapeXml, type Service } from './wire.ts';

type Tagged = { readonly instanceId: string; readonly tags?: Readonly<Record<string, string>> };

/** EC2: the tags of the nodes that are attached, in EC2's own form of the query protocol. */
export function ec2Service(instances: () => readonly Tagged[]): Service {
  return {
    name: 'ec2',
    file: 'local/cloud/ec2.ts',
    calls: ['DescribeTags'],
    async answer({ body }, response) {
      const filters = filtersOf(new URLSearchParams(body.toString('utf8')));
      const wanted = (name: string, value: string): boolean => filters.get(name)?.includes(value) ?? true;
      const items = instances().flatMap(({ instanceId, tags = {} }) =>
        Object.entries(tags)
          .filter(([key]) => wanted('resource-id', instanceId) && wanted('key', key))
          .map(
            ([key, value]) =>
              `<item><resourceId>${escapeXml(instanceId)}</resourceId><resourceType>instance</resourceType><key>${escapeXml(key)}</key><value>${escapeXml(value)}</value></item>`,
          ),
      );
      const xml = `<DescribeTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>local</requestId><tagSet>${items.join('')}</tagSet></DescribeTagsResponse>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
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
