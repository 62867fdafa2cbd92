import type { NodePatch } from '../domain/replacement/cordon.ts';
import type { EvictionAnswer } from '../domain/replacement/eviction-answer.ts';
import type { PodRef } from '../domain/replacement/pod-ref.ts';
import { readEvictionAnswer } from '../domain/replacement/read-eviction-answer.ts';
import { type HttpsAnswer, type HttpsGetter, type HttpsRequest, NoAnswerError } from './https-get.ts';
import { ApiServerError, refusal } from './kubernetes-api.ts';

/** The answer to a change is the object, and a node of EKS with its list of images is some 30 kB. */
const mostBytes = 1024 * 1024;
/** By it the API server says in `managedFields` who has set a field. */
const manager = 'fieldManager=cgroup-medic';

/** The few changes that a replacement makes in a cluster. Each is sent once: whoever asks looks at the object before they ask again. */
export class KubernetesChanges {
  readonly #endpoint: string;
  readonly #https: HttpsGetter;

  constructor(endpoint: string, https: HttpsGetter) {
    this.#endpoint = endpoint;
    this.#https = https;
  }

  /**
   * Changes a node that is still as it was read.
   *
   * @returns conflict: it is another version by now, or another node. gone: there is none of that name
   * @throws ApiServerError
   */
  async patchNode(name: string, patch: NodePatch): Promise<'done' | 'conflict' | 'gone'> {
    const { status, body } = await this.#send(
      'PATCH',
      `/api/v1/nodes/${encodeURIComponent(name)}?${manager}`,
      'application/merge-patch+json',
      patch,
    );
    if (status === 200) return 'done';
    if (status === 409) return 'conflict';
    if (status === 404) return 'gone';
    throw refused(status, body, 'patch nodes');
  }

  /** Asks for the eviction of this very pod, with the time to end that the pod itself has. */
  async evict({ namespace, name, uid }: PodRef): Promise<EvictionAnswer> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
    try {
      const { status, body } = await this.#send('POST', path, 'application/json', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { namespace, name },
        deleteOptions: { preconditions: { uid } },
      });
      const answer = readEvictionAnswer(status, body);
      if (status !== 401 && !(status === 403 && answer.is === 'stop')) return answer;
      return { is: 'stop', says: refused(status, body, 'create pods/eviction').message };
    } catch (error) {
      if (error instanceof ApiServerError) return { is: 'busy', says: error.message };
      throw error;
    }
  }

  /**
   * Deletes this very claim; its owner then drains and ends the node.
   *
   * @returns conflict: the claim of that name is another. gone: there is none
   * @throws ApiServerError
   */
  async deleteNodeClaim(path: string, uid: string): Promise<'done' | 'conflict' | 'gone'> {
    const { status, body } = await this.#send('DELETE', path, 'application/json', {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid },
    });
    if (status === 200 || status === 202) return 'done';
    if (status === 409) return 'conflict';
    if (status === 404) return 'gone';
    throw refused(status, body, 'delete nodeclaims');
  }

  async #send(
    method: HttpsRequest['method'],
    path: string,
    type: string,
    content: object,
  ): Promise<HttpsAnswer> {
    try {
      return await this.#https.send({
        method,
        url: new URL(path, this.#endpoint),
        accept: 'application/json',
        maxBytes: mostBytes,
        body: { type, text: JSON.stringify(content) },
      });
    } catch (error) {
      if (error instanceof NoAnswerError) throw new ApiServerError(`the API server: ${error.message}`);
      throw error;
    }
  }
}

function refused(status: number, body: string, right: string): ApiServerError {
  return new ApiServerError(refusal(status, body, right, { page: 'docs/replacing.md' }));
}
