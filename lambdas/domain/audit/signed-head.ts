import * as z from 'zod';

/**
 * The signature over the last entry of a closed incident: nothing can be cut off or added behind it unseen. Version 2 signs
 * the name of the key as well, so that no byte of it can change; heads of version 1 stay valid.
 */
export const SignedHead = z.strictObject({
  version: z.union([z.literal(1), z.literal(2)]),
  kind: z.literal('signed-head'),
  incident: z.string(),
  /** Sequence number and hash of the last entry. */
  seq: z.int().nonnegative(),
  hash: z.string(),
  algorithm: z.literal('ECDSA_SHA_256'),
  keyId: z.string(),
  /** DER, base64. */
  signature: z.string(),
});
export type SignedHead = z.infer<typeof SignedHead>;

/** The bytes that are signed. */
export function headMessage({
  version,
  incident,
  seq,
  hash,
  keyId,
}: Pick<SignedHead, 'version' | 'incident' | 'seq' | 'hash' | 'keyId'>): Buffer {
  const key = version === 1 ? '' : `${keyId}\n`;
  return Buffer.from(`cgroup-medic audit head v${version}\n${incident}\n${seq}\n${hash}\n${key}`, 'utf8');
}
