import { type DocumentReference, environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { ssm } from '../adapters/ssm.ts';
import { type PinnedDocument, pinDocument } from '../adapters/ssm-documents.ts';

/** The deployed document with this short name, compared with its digest and pinned to a version and hash. */
export function pinnedDocument(name: string): Promise<PinnedDocument> {
  return pinDocument(ssm(), referenceTo(name));
}

/** Where a document with this short name is, and what its content must be. */
export function referenceTo(name: string): DocumentReference {
  const { DOCUMENTS } = environment();
  const reference = Object.hasOwn(DOCUMENTS, name) ? DOCUMENTS[name] : undefined;
  if (reference === undefined) {
    throw new MedicError(
      `document "${name}" is not part of this deployment: ${Object.keys(DOCUMENTS).join(', ')}`,
    );
  }
  return reference;
}
