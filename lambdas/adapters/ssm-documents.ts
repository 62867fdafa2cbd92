import { DescribeDocumentCommand, GetDocumentCommand, type SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { digestOf } from '../domain/canonical-json.ts';
import type { DocumentReference } from './environment.ts';
import { MedicError } from './medic-error.ts';

/** A version of a document that was compared with what was deployed, pinned by the service's own hash. */
export type PinnedDocument = {
  name: string;
  version: string;
  hash: string;
  /** SHA-256 of the canonical JSON of its content; the same at synthesis and here. */
  contentDigest: string;
  /** The longest that all its steps together may run. */
  timeoutSeconds: number;
};

/** Raised when the document in the account is not the one that was deployed. */
export class DocumentChangedError extends MedicError {
  override readonly name = 'DocumentChangedError';
}

const Content = z.object({
  mainSteps: z
    .array(z.object({ inputs: z.object({ timeoutSeconds: z.coerce.number().int().positive() }) }))
    .min(1),
});

/**
 * Reads the default version of a document, compares its content with the digest made at synthesis, and pins version
 * and hash: what runs is what was reviewed, even if somebody edits the document meanwhile.
 *
 * @throws DocumentChangedError when the content is not the deployed one
 */
export async function pinDocument(client: SSMClient, reference: DocumentReference): Promise<PinnedDocument> {
  const document = await client.send(
    new GetDocumentCommand({ Name: reference.name, DocumentFormat: 'JSON' }),
  );
  const version = document.DocumentVersion;
  if (version === undefined || document.Content === undefined) {
    throw new MedicError(`SSM answered without a version or content for document ${reference.name}`);
  }
  const content: unknown = JSON.parse(document.Content);
  const contentDigest = digestOf(content);
  if (contentDigest !== reference.contentDigest) {
    throw new DocumentChangedError(
      `document ${reference.name}, version ${version}, is not the one that was deployed: its content digest is ${contentDigest}, expected ${reference.contentDigest}; deploy the stack again, and find out who changed it`,
    );
  }
  const { Document } = await client.send(
    new DescribeDocumentCommand({ Name: reference.name, DocumentVersion: version }),
  );
  if (Document?.Hash === undefined || Document.HashType !== 'Sha256') {
    throw new MedicError(
      `SSM answered without a SHA-256 hash for document ${reference.name}, version ${version}`,
    );
  }
  const steps = Content.parse(content).mainSteps;
  const timeoutSeconds = steps.reduce((sum, step) => sum + step.inputs.timeoutSeconds, 0);
  return { name: reference.name, version, hash: Document.Hash, contentDigest, timeoutSeconds };
}
