import type { CohortSettings } from '../settings/cohort.ts';
import { type Cohort, failedBy, inFlight, type Member, mostNews, type News, noCohort } from './cohort.ts';

/** No wave is larger: as many stand in line for the budget, and what goes wrong with it can still be looked through. */
const largestWave = 64;

export type At = {
  now: Date;
  settings: CohortSettings;
  /** Until when somebody whose turn it is, or who waits, has to be back. */
  until: Date;
};

/**
 * The cohort as it is at this moment: without those that are lost, stopped where as many failed as may, and with its turns given
 * to those that come first. The same state where nothing has changed.
 */
export function atMoment(cohort: Cohort, at: At): Cohort {
  const present = withoutLost(cohort, at.now);
  switch (present.phase) {
    case 'none':
    case 'gathers':
    case 'asks':
      return present;
    case 'goes':
      return wavesOf(present, at);
    default:
      return isOver(present, at.now) ? noCohort : present;
  }
}

/** The leader is not dropped: whether people have decided on what it asked has to be looked up first. */
function withoutLost(cohort: Cohort, now: Date): Cohort {
  const isLost = ({ until, incident }: Member): boolean =>
    Date.parse(until) <= now.getTime() && !(cohort.phase === 'asks' && incident === cohort.leader);
  const lost = cohort.members.filter(isLost);
  if (lost.length === 0) return cohort;
  let kept: Cohort = { ...cohort, members: cohort.members.filter((member) => !isLost(member)) };
  for (const member of lost) {
    kept =
      member.is === 'acts'
        ? failedBy(kept, member, 'nobody knows what became of its treatment')
        : { ...kept, tally: { ...kept.tally, left: kept.tally.left + 1 } };
  }
  return cohort.phase === 'gathers' ? withLeader(kept, now) : kept;
}

/** Who has come first of those that are left leads, where the leader is not among them any more. */
export function withLeader(cohort: Cohort, now: Date): Cohort {
  const { members, leader } = cohort;
  if (members.some(({ incident }) => incident === leader)) return cohort;
  const [next] = members;
  if (next === undefined) return noCohort;
  return {
    ...cohort,
    phase: 'gathers',
    leader: next.incident,
    gathersUntil: now.toISOString(),
    asked: null,
    many: members.length > 1,
  };
}

/** Not before all that it was about have gone: whoever comes back late learns how it ended, and asks nobody anew. */
function isOver({ phase, opensUntil, members }: Cohort, now: Date): boolean {
  return members.length === 0 && (phase === 'expired' || now.getTime() >= Date.parse(opensUntil));
}

/** The settings, and where a card has said something stricter, that. */
export function termsOf({ asked }: Pick<Cohort, 'asked'>, settings: CohortSettings): CohortSettings {
  const { promised = settings } = asked ?? {};
  const stricter = (of: 'windowMinutes' | 'canary' | 'growth' | 'stopAtFailures'): number =>
    Math.min(promised[of], settings[of]);
  return {
    ...settings,
    windowMinutes: stricter('windowMinutes'),
    canary: stricter('canary'),
    growth: stricter('growth'),
    stopAtFailures: stricter('stopAtFailures'),
  };
}

function wavesOf(cohort: Cohort, { now, settings, until }: At): Cohort {
  let present = cohort;
  const { stopAtFailures, growth } = termsOf(cohort, settings);
  const window = new Date(now.getTime() + settings.windowMinutes * 60_000).toISOString();
  if (present.tally.failed >= stopAtFailures) {
    // One by itself keeps nobody away that came after it: that is for the breaker.
    return present.many
      ? withNews(
          { ...present, phase: 'stopped', opensUntil: window },
          {
            kind: 'stopped',
            text: stoppedText(present),
          },
        )
      : noCohort;
  }
  if (present.members.length === 0) {
    if (!present.many || now.getTime() >= Date.parse(present.opensUntil)) return noCohort;
    return present;
  }
  const { number, size, helped, failed } = present.wave;
  if (helped + failed >= size) {
    const grown = failed > 0 ? size : Math.min(size * growth, largestWave);
    const next = { number: number + 1, size: Math.max(size, grown), helped: 0, failed: 0 };
    present = withNews(
      { ...present, wave: next },
      {
        kind: 'wave',
        text: `wave ${number} of ${present.treatment}: ${helped} of ${size} helped; next ${Math.min(next.size, present.members.length)} of the ${present.members.length} that wait`,
      },
    );
  }
  const { wave } = present;
  let free = wave.size - wave.helped - wave.failed - inFlight(present).length;
  if (free <= 0 || present.members.every(({ is }) => is !== 'waits')) return present;
  const members = present.members.map((member) => {
    if (free <= 0 || member.is !== 'waits') return member;
    free -= 1;
    return { ...member, is: 'turn' as const, until: until.toISOString() };
  });
  return { ...present, members };
}

export function withNews(cohort: Cohort, news: News): Cohort {
  return { ...cohort, news: [...cohort.news, { ...news, text: news.text.slice(0, 1000) }].slice(-mostNews) };
}

/** Why nothing more is done. */
export function stoppedText({ treatment, failures, tally, members }: Cohort): string {
  const which = failures.map(({ incident, instanceId, why }) => `${instanceId} (${incident}): ${why}`);
  const acts = members.filter(({ is }) => is === 'acts').length;
  const rest = members.length - acts;
  const under = acts === 0 ? '' : `; ${acts} under way come to their end`;
  return `the cohort of ${treatment} is stopped after ${tally.helped} helped and ${tally.failed} did not: ${which.join('; ')}${under}; ${rest} not treated`;
}
