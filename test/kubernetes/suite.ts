import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clusterToken } from '../../lambdas/adapters/eks-token.ts';
import {
  changeNode,
  type NodeChange,
  NodeChangeAnswer,
  NodeChangeRequest,
} from '../../lambdas/adapters/node-change.ts';
import { cordonAnnotation } from '../../lambdas/domain/replacement/cordon.ts';
import { startDrain } from '../../lambdas/domain/replacement/drain.ts';
import type { DrainEnd } from '../../lambdas/domain/replacement/drain-state.ts';
import { type ClusterUnderTest, instanceId } from './cluster-under-test.ts';

const incident = 'prod-i-0123456789abcdef0-1764312000';
const identity = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' },
};
const policy = { barePods: 'block', localData: 'block' } as const;
const web = ['web-1', 'web-2', 'web-3'];

/** What the medic does to a node through its API server, whichever that is. */
export function describeCluster(what: string, open: () => Promise<ClusterUnderTest>): void {
  describe(`the node of ${what}`, () => {
    let cluster: ClusterUnderTest;
    beforeEach(async () => {
      cluster = await open();
    });
    afterEach(() => cluster?.close());

    type Options = { token?: string; now?: Date };
    async function change<C extends NodeChange>(
      one: C,
      { token, now = new Date() }: Options = {},
    ): Promise<NodeChangeAnswer[C['do']]> {
      const request = NodeChangeRequest.parse({
        cluster: 'prod',
        endpoint: cluster.endpoint(),
        instanceId,
        incident,
        change: one,
      });
      const fresh = await clusterToken('prod', { ...identity, now: new Date() });
      const answer = await changeNode({ request, token: token ?? fresh, limitMs: 10_000, now });
      return NodeChangeAnswer[one.do].parse(answer) as NodeChangeAnswer[C['do']];
    }
    const cordon = () => change({ do: 'cordon', node: cluster.node });
    const uncordon = () => change({ do: 'uncordon', node: cluster.node });
    const refOf = async (name: string) => ({
      namespace: cluster.namespace,
      name,
      uid: await cluster.uidOf(name),
    });
    const evict = async (...names: string[]) => {
      const { answers } = await change({ do: 'evict', pods: await Promise.all(names.map(refOf)) });
      return answers.map(({ answer }) => answer);
    };
    const runWeb = () =>
      cluster.run([...web.map((name) => ({ name })), { name: 'agent', owner: 'DaemonSet' as const }]);
    const changesAsked = () => cluster.front.asked.filter((one) => !one.startsWith('GET '));

    it('is cordoned with the name of the incident, and uncordoned with it', async () => {
      expect(await cordon()).toEqual({ is: 'done', says: 'it was done' });
      expect(await cluster.nodeNow()).toMatchObject({
        annotations: { [cordonAnnotation]: incident },
        unschedulable: true,
      });
      expect(await cordon()).toMatchObject({ is: 'already' });
      expect(await uncordon()).toMatchObject({ is: 'done' });
      const after = await cluster.nodeNow();
      expect(after.unschedulable).toBe(false);
      expect(after.annotations).not.toHaveProperty([cordonAnnotation]);
      expect(await uncordon()).toMatchObject({ is: 'already' });
      expect(changesAsked()).toEqual(Array(2).fill(`PATCH /api/v1/nodes/${cluster.node}`));
    });

    it('keeps the cordon that somebody else has made', async () => {
      await cluster.touch({ unschedulable: true });
      expect(await cordon()).toMatchObject({ is: 'refused', says: 'somebody else has cordoned it' });
      expect(await uncordon()).toMatchObject({ is: 'refused' });
      expect((await cluster.nodeNow()).unschedulable).toBe(true);
    });

    it('is looked at anew where it has changed since it was read', async () => {
      let patches = 0;
      cluster.front.before = async (method) => {
        if (method === 'PATCH' && ++patches === 1) await cluster.touch();
        return undefined;
      };
      expect(await cordon()).toMatchObject({ is: 'done' });
      expect(patches).toBe(2);
    });

    it('is not cordoned over a cordon that came between', async () => {
      cluster.front.before = async (method) => {
        if (method === 'PATCH') await cluster.touch({ unschedulable: true });
        return undefined;
      };
      expect(await cordon()).toMatchObject({ is: 'refused', says: 'somebody else has cordoned it' });
      expect((await cluster.nodeNow()).annotations).not.toHaveProperty([cordonAnnotation]);
    });

    it('is examined: found by its instance among the others, and young', async () => {
      const examined = await change(
        {
          do: 'examine',
          names: [],
          tags: { 'aws:autoscaling:groupName': 'eks-web' },
          leastAgeMinutes: 60,
        },
        { now: new Date(Date.now() + 1000) },
      );
      expect(examined).toMatchObject({
        node: { name: cluster.node, owner: { kind: 'auto-scaling-group', group: 'eks-web' }, cordon: 'none' },
      });
    });

    it('is unknown to whoever comes with a token that has expired', async () => {
      const token = await clusterToken('prod', { ...identity, now: new Date(Date.now() - 120_000) });
      await expect(change({ do: 'cordon', node: cluster.node }, { token })).rejects.toThrow('(401)');
    });

    it('lets a pod go that may be evicted, and nothing happens twice', async () => {
      await runWeb();
      expect(await evict('web-1')).toEqual([{ is: 'going' }]);
      expect(await cluster.leaving()).toEqual(['web-1']);
      expect(await evict('web-1')).toEqual([{ is: 'going' }]);
      expect(await cluster.leaving()).toEqual(['web-1']);
    });

    it('keeps a pod that has only the name of the one that was looked at', async () => {
      await runWeb();
      const other = { ...(await refOf('web-1')), uid: '00000000-0000-4000-8000-000000000000' };
      expect(await change({ do: 'evict', pods: [other] })).toMatchObject({
        answers: [{ answer: { is: 'gone' } }],
      });
      expect(await cluster.leaving()).toEqual([]);
    });

    it('says of a pod that is not there that it is gone', async () => {
      const pods = [{ namespace: cluster.namespace, name: 'web-9', uid: 'x' }];
      expect(await change({ do: 'evict', pods })).toMatchObject({ answers: [{ answer: { is: 'gone' } }] });
    });

    it('keeps what a budget refuses, and names the budget', async () => {
      await runWeb();
      await cluster.allow('web', web, 1);
      expect(await evict('web-1')).toEqual([{ is: 'going' }]);
      // Asked again it is granted again, and takes no second place of the budget.
      expect(await evict('web-1')).toEqual([{ is: 'going' }]);
      expect(await evict('web-2')).toMatchObject([{ is: 'refused', budgets: ['web'] }]);
      await cluster.allow('web', web, 1);
      expect(await evict('web-2')).toEqual([{ is: 'going' }]);
      expect(await cluster.leaving()).toEqual(['web-1', 'web-2']);
    });

    it('keeps a pod whose budget has changed until it is known what that allows', async () => {
      await runWeb();
      await cluster.allow('web', web, 3);
      await cluster.loseSight('web');
      expect(await evict('web-1')).toMatchObject([{ is: 'refused', budgets: ['web'] }]);
      expect(await cluster.leaving()).toEqual([]);
    });

    it('keeps a pod of two budgets, for good', async () => {
      await runWeb();
      await cluster.allow('web', web, 3);
      await cluster.allow('all', ['web-2'], 1);
      expect(await evict('web-2')).toEqual([
        { is: 'stop', says: expect.stringContaining('more than one PodDisruptionBudget') },
      ]);
      expect(await cluster.leaving()).toEqual([]);
    });

    /** A drain as the course makes one. Time is that of the drain, not of the clock. */
    async function drain(minutes: number, between: (step: number) => Promise<void>): Promise<DrainEnd> {
      let at = Date.now();
      let state = startDrain({ cordonedByUs: true, drainMinutes: minutes }, new Date(at));
      let answers: NodeChangeAnswer['evict']['answers'] = [];
      for (let step = 1; step < 100; step += 1) {
        await between(step);
        const answer = await change(
          { do: 'drain', node: cluster.node, state, answers, policy },
          { now: new Date(at) },
        );
        ({ state } = answer);
        const { next } = answer;
        if (next.do === 'end') return next.end;
        answers = next.do === 'evict' ? (await change({ do: 'evict', pods: next.pods })).answers : [];
        at += 1000 * (next.do === 'evict' ? next.thenSeconds : next.seconds);
      }
      throw new Error('it does not end');
    }

    it('is drained at the pace of its budget, but for what stays', async () => {
      await runWeb();
      await cluster.allow('web', web, 1);
      await cordon();
      const end = await drain(15, async (step) => {
        await cluster.endLeaving();
        if (step % 3 === 0) await cluster.allow('web', web, 1);
      });
      expect(end).toEqual({ is: 'done' });
      expect(await cluster.leaving()).toEqual(web);
      expect(changesAsked().filter((one) => one.startsWith('DELETE'))).toEqual([]);
    });

    it('is drained of all but a pod that has done its work, which no budget is asked about', async () => {
      await runWeb();
      await cluster.finish('web-2');
      await cluster.allow('web', ['web-2'], 0);
      await cordon();
      expect(await drain(15, () => cluster.endLeaving())).toEqual({ is: 'done' });
      expect(await cluster.leaving()).toEqual(['web-1', 'web-3']);
    });

    it('is given back at the deadline of its drain, with the pod that a budget holds', async () => {
      await runWeb();
      await cluster.allow('web', ['web-2'], 0);
      await cordon();
      const end = await drain(2, () => cluster.endLeaving());
      expect(end).toMatchObject({
        is: 'gave-up',
        uncordon: true,
        report: {
          budgets: [`${cluster.namespace}/web`],
          pods: [{ pod: `${cluster.namespace}/web-2` }],
          evicted: 2,
        },
      });
      expect(await uncordon()).toMatchObject({ is: 'done' });
      expect(await cluster.leaving()).toEqual(['web-1', 'web-3']);
    });

    it('stays cordoned by nobody where somebody uncordons it meanwhile: nothing more is evicted', async () => {
      await runWeb();
      await cluster.allow('web', web, 0);
      await cordon();
      const end = await drain(15, async (step) => {
        if (step === 3) await cluster.touch({ unschedulable: false });
      });
      expect(end).toMatchObject({
        is: 'gave-up',
        report: { why: expect.stringContaining('uncordoned the node') },
      });
      expect(await cluster.leaving()).toEqual([]);
    });

    it('of Karpenter is taken away by its claim, if the claim says that it is this one', async () => {
      const remove = (nodeClaim: string, claimUid?: string) =>
        change({ do: 'delete-node-claim', nodeClaim, claimUid });
      const mine = `${cluster.node}-mine`;
      const other = `${cluster.node}-other`;
      await cluster.makeClaim(mine, instanceId);
      await cluster.makeClaim(other, 'i-0fedcba9876543210');
      expect(await remove(other)).toMatchObject({ is: 'refused' });
      expect(await cluster.isClaimLeaving(other)).toBe(false);
      expect(await remove(mine)).toMatchObject({ is: 'done' });
      expect(await remove(mine)).toMatchObject({ is: 'already' });
      expect(await cluster.isClaimLeaving(mine)).toBe(true);
      expect(await remove(`${cluster.node}-none`, 'seen')).toMatchObject({ is: 'gone' });
      expect(await remove(`${cluster.node}-none`)).toMatchObject({ is: 'refused' });
    });
  });
}
