import * as z from 'zod';

/** The signature over the last entry of a closed incident: nothing can be cut off or added behind it unseen. */
export const SignedHead = z.object({
  version: z.literal(1),
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
export function headMessage(head: Pick<SignedHead, 'incident' | 'seq' | 'hash'>): Buffer {
  return Buffer.from(`cgroup-medic audit head v1\n${head.incident}\n${head.seq}\n${head.hash}\n`, 'utf8');
}
