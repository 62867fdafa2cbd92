import type { Draft } from './draft.ts';
import type { FactView } from './fact-view.ts';
import { countIn, kbIn } from './words.ts';

/**
 * What facts of one kind say. `about` is matched against the subject of the fact (its name without units, bounds and
 * reporters). `tell` answers false where this fact says nothing of it after all: the next rule is asked then.
 */
export type FactRule = {
  about: RegExp;
  tell: (fact: FactView, draft: Draft, found: RegExpExecArray) => boolean;
};

/** A rule for a number of things. */
export function counts(about: RegExp, tell: (count: number, draft: Draft, fact: FactView) => void): FactRule {
  return {
    about,
    tell(fact, draft) {
      const count = countIn(fact.value);
      if (count === undefined) return false;
      tell(count, draft, fact);
      return true;
    },
  };
}

/** A rule for a size in memory. */
export function sizes(about: RegExp, tell: (kb: number, draft: Draft, fact: FactView) => void): FactRule {
  return {
    about,
    tell(fact, draft) {
      const kb = kbIn(fact.value, fact.unit);
      if (kb === undefined) return false;
      tell(kb, draft, fact);
      return true;
    },
  };
}
