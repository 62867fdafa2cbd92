import { accessKeyOf, escapeXml, type Service } from './wire.ts';

/** STS: whoever calls is the IAM user of the account that is named as their access key, in the query protocol's XML. */
export function stsService(): Service {
  return {
    name: 'sts',
    file: 'local/cloud/sts.ts',
    calls: ['GetCallerIdentity'],
    async answer({ call, message }, response) {
      const key = accessKeyOf(message);
      const arn = escapeXml(`arn:aws:iam::000000000000:user/${key.toLowerCase()}`);
      const xml = `<${call}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${call}Result><Arn>${arn}</Arn><UserId>AIDA${escapeXml(key)}</UserId><Account>000000000000</Account></${call}Result><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></${call}Response>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
    },
  };
}
