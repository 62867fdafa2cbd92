/** Raised when a virtual node cannot be had or did not start; the message says why and what to do. */
export class VirtualNodeError extends Error {
  override readonly name = 'VirtualNodeError';
}
