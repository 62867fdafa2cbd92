export type Answer = { status: number; body: unknown };

/** A refusal in the shape of the API server: an object of kind Status. */
export function refusal(code: number, message: string, details?: object): Answer {
  return {
    status: code,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      message,
      code,
      ...(details === undefined ? {} : { details }),
    },
  };
}
