import { describe, expect, it } from 'vitest';
import { CauseId } from '../../../../lambdas/domain/causes/cause-id.ts';
import { notify } from '../../../../lambdas/domain/treatments/notify.ts';

describe('notify', () => {
  it('is on the ladder of every cause but health', () => {
    expect(CauseId.options.filter((cause) => !notify.treats.includes(cause))).toEqual(['healthy']);
  });
});
