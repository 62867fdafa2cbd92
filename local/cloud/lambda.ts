import type { Json } from '../engine/json.ts';
import { TaskError } from '../engine/task-error.ts';
import { restService, type Service } from './wire.ts';

/** Lambda: functions that other functions call. */
export function lambdaService(invoke: (name: string, payload: Json) => Promise<Json>): Service {
  return restService(
    { name: 'lambda', file: 'local/cloud/lambda.ts' },
    {
      Invoke: {
        route: /^POST \/2015-03-31\/functions\/([^/]+)\/invocations$/,
        async answer([name = ''], body, response) {
          try {
            return await invoke(decodeURIComponent(name), JSON.parse(body.toString('utf8') || 'null'));
          } catch (error) {
            if (!(error instanceof TaskError)) throw error;
            // A function that fails is an answer of the service, with the error in it.
            response.setHeader('x-amz-function-error', 'Unhandled');
            return JSON.parse(error.message);
          }
        },
      },
    },
  );
}
