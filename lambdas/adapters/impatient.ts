/** Settings of a client that only reads: one try and one more, each with an end. What does not answer is a gap, and an incident waits for it. */
export const impatient = {
  maxAttempts: 2,
  // Without `throwOnRequestTimeout` the client only warns of a request that takes longer, and waits on.
  requestHandler: { connectionTimeout: 2000, requestTimeout: 8000, throwOnRequestTimeout: true },
};
