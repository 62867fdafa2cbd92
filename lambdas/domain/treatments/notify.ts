import { objectFact } from '../causes/agent-memory.ts';
import { CauseId } from '../causes/cause-id.ts';
import type { Treatment } from './treatment.ts';

/** Tells people, with the evidence. The last rung of every ladder: a machine that is at its end says so. */
export const notify: Treatment = {
  id: 'notify',
  kind: 'notify',
  risk: 'none',
  disrupts: false,
  treats: CauseId.options.filter((cause) => cause !== 'healthy'),

  propose(_, __, { findings }) {
    const object = findings.find(({ fact }) => fact === objectFact)?.value;
    const expects = { text: 'a person looks at the node' };
    if (object === undefined) {
      return {
        arguments: {},
        reason: 'nothing gentler is left that a machine should do by itself',
        expects,
      };
    }
    return {
      arguments: { object: String(object) },
      reason: `it belongs to ${object}: whoever owns that has to mend it, and nothing on the node is to be changed for it`,
      expects: { text: 'the owner of the object mends it' },
    };
  },
};
