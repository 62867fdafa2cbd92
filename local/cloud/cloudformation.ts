import { escapeXml, type Service, ServiceError } from './wire.ts';

/** CloudFormation: the outputs of the one stack that there is, in the query protocol's XML. */
export function cloudformationService(stack: string, outputs: Readonly<Record<string, string>>): Service {
  return {
    name: 'cloudformation',
    file: 'local/cloud/cloudformation.ts',
    calls: ['DescribeStacks'],
    async answer({ body }, response) {
      const wanted = new URLSearchParams(body.toString('utf8')).get('StackName');
      if (wanted !== stack) {
        throw new ServiceError('ValidationError', `Stack with id ${wanted} does not exist`);
      }
      const members = Object.entries(outputs).map(
        ([key, value]) =>
          `<member><OutputKey>${escapeXml(key)}</OutputKey><OutputValue>${escapeXml(value)}</OutputValue></member>`,
      );
      const one = `<member><StackName>${escapeXml(stack)}</StackName><CreationTime>2026-11-21T06:30:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${members.join('')}</Outputs></member>`;
      const xml = `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>${one}</Stacks></DescribeStacksResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></DescribeStacksResponse>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
}
