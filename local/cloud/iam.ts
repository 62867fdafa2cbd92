import { escapeXml, type Service, ServiceError } from './wire.ts';

/** A role or user of the account. */
export type LocalPrincipal = { kind: 'role' | 'user'; name: string; id: string; arn: string };

/** IAM: the unique ids of the roles and users that a test has put there, in the query protocol's XML. */
export function iamService(principals: readonly LocalPrincipal[]): Service {
  return {
    name: 'iam',
    file: 'local/cloud/iam.ts',
    calls: ['GetRole', 'GetUser'],
    async answer({ call, body }, response) {
      const kind = call === 'GetRole' ? 'Role' : 'User';
      const wanted = new URLSearchParams(body.toString('utf8')).get(`${kind}Name`);
      const found = principals.find((one) => one.kind === kind.toLowerCase() && one.name === wanted);
      if (found === undefined) {
        throw new ServiceError(
          'NoSuchEntity',
          `The ${kind.toLowerCase()} with name ${wanted} cannot be found.`,
          404,
        );
      }
      const { name, id, arn } = found;
      const fields = Object.entries({ [`${kind}Name`]: name, [`${kind}Id`]: id, Arn: arn, Path: '/' })
        .map(([key, value]) => `<${key}>${escapeXml(value)}</${key}>`)
        .join('');
      const xml = `<${call}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${call}Result><${kind}>${fields}</${kind}></${call}Result><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></${call}Response>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
}
