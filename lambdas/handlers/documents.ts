import { type DocumentReference, environment } from '../adapters/environment.ts';
import { MedicError } from '../adapters/medic-error.ts';
import { ssm } from '../adapters/ssm.ts';
import { type PinnedDocument, pinDocument } from '../adapters/ssm-documents.ts';

/** Many commands a second must not read the same document as often. Whoever changes one is found out this much later. */
const keptMs = 60_000;
const kept = new Map<string, { document: PinnedDocument; until: number }>();

/**
 * The deployed document with this short name, compared with its digest and pinned to a version and hash. One that was read by this
 * process a moment ago is not read again: what is sent names version and hash, so that SSM runs what was compared, or nothing.
 */
export async function pinnedDocument(name: string): Promise<PinnedDocument> {
  const now = Date.now();
  const known = kept.get(name);
  if (known !== undefined && known.until > now) return known.document;
  const document = await pinDocument(ssm(), referenceTo(name));
  kept.set(name, { document, until: now + keptMs });
  return document;
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
