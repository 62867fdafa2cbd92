import type { Evidence } from '../evidence/evidence.ts';
import { fellBelowUsers } from '../evidence/history.ts';
import { probeValue } from '../evidence/probe.ts';
import { sliceAt } from '../evidence/producers.ts';
import { perHour, zombiesPerLogin } from '../evidence/sessions.ts';
import { leastDying } from '../evidence/zombies.ts';
import type { Cause, Finding, Prevention } from './cause.ts';
import { calmTheBusiest, moveToV2, stayWithScaleOut } from './prevent.ts';

/** Dying cgroups per login from which the logins are the producer: measured, each leaves one (systemd 252). */
const leastPerLogin = 0.5;
/** Where less than this share of too many is below /user.slice, logins are not what made them. */
const leastShare = 0.1;

const rateFact = 'logins per hour';
const leftFact = 'what each login leaves';
const failedFact = 'sessions that logind could not end, their scope being gone';
const heldFact = 'dying memory cgroups below /user.slice';

/** Logins that each leave a dying memory cgroup: cron with a login, monitoring over SSH, scripts that call su. */
export const sessionChurn: Cause<'session-churn'> = {
  id: 'session-churn',
  title: 'Logins that each leave a dying memory cgroup.',
  seen: 'Logins at a rate of at least dyingPerHour, and something that says that they leave any: dying cgroups below /user.slice, their growth by the logins since an earlier sample, a fall of them since, a memory cgroup for each login or user, or sessions that logind does not let go of.',
  excludedBy:
    'Few logins; sessions without a memory cgroup of their own; logins that leave less than half a dying cgroup each; fewer than a tenth of all dying cgroups below /user.slice.',
  explains: ['dying-memcgs', 'reclaim-pressure'],

  judge(evidence, thresholds) {
    const sessions = probeValue(evidence.probes.sessions);
    if (sessions === undefined) return { result: 'insufficient-evidence', needs: ['sessions'], findings: [] };
    const rate = perHour(sessions.logins, sessions.coveredSeconds);
    if (rate === undefined) {
      return { result: 'insufficient-evidence', needs: ['sessions.logins'], findings: [] };
    }

    const findings: Finding[] = [];
    const find = ({ weight, ...finding }: Omit<Finding, 'speaks'>, speaksFor: boolean): boolean => {
      findings.push({
        ...finding,
        speaks: speaksFor ? 'for' : 'against',
        ...(speaksFor && weight !== undefined ? { weight } : {}),
      });
      return speaksFor;
    };
    const often = find(
      {
        fact: rateFact,
        value: Math.round(rate),
        threshold: thresholds.dyingPerHour,
        weight: 0.5,
        source:
          'settings thresholds.dyingPerHour: a login leaves about one dying cgroup; counted in the journal',
      },
      rate >= thresholds.dyingPerHour,
    );
    const separate = find(
      {
        fact: 'what gets a memory cgroup at a login',
        value: sessions.memoryCgroup ?? 'not seen',
        source: 'the cgroup of an open session; "none" where sessions are contained',
      },
      sessions.memoryCgroup !== 'none',
    );
    // Where somebody has freed some meanwhile, the difference does not say what a login leaves.
    const each = fellBelowUsers(evidence) ? undefined : zombiesPerLogin(sessions);
    const leaves =
      each === undefined ||
      find(
        {
          fact: 'dying cgroups left by a login',
          value: Math.round(each * 10) / 10,
          threshold: leastPerLogin,
          weight: 0.7,
          source: 'growth below /user.slice since an earlier sample, by the logins since then',
        },
        each >= leastPerLogin,
      );
    const dying = sliceAt(evidence, '/user.slice')?.dying ?? undefined;
    const holds =
      dying !== undefined &&
      find(
        {
          fact: heldFact,
          value: dying,
          threshold: thresholds.dyingFloor,
          weight: 0.6,
          source: 'settings thresholds.dyingFloor; cgroup.stat',
        },
        dying >= thresholds.dyingFloor,
      );

    const all = probeValue(evidence.probes.cgroups)?.dying;
    const share = all !== undefined && all >= thresholds.dyingFloor && dying !== undefined ? dying / all : 1;
    const theirs =
      share >= leastShare ||
      find(
        {
          fact: 'share of the dying memory cgroups that is below /user.slice',
          value: Math.round(share * 100) / 100,
          threshold: leastShare,
          source: `${all} on the whole node`,
        },
        false,
      );

    if (!often || !separate || !leaves || !theirs) return { result: 'excluded', findings };
    const stays = leftAfterLogin(evidence);
    for (const finding of stays) find(finding, true);
    // The rate alone is no fault: something has to say that these logins leave anything, or did until a reclaim.
    const freed = fellBelowUsers(evidence, leastDying);
    const leavesAny =
      each !== undefined || holds || freed || sessions.memoryCgroup !== null || stays.length > 0;
    if (!leavesAny) {
      return { result: 'insufficient-evidence', needs: ['slices', 'history'], findings };
    }
    return { result: 'matches', findings };
  },

  explain(findings) {
    const value = (fact: string) => findings.find((finding) => finding.fact === fact)?.value;
    const held = value(heldFact);
    const stuck = value(leftFact) === 'session' || value(failedFact) !== undefined;
    return [
      `This node sees ${value(rateFact)} logins an hour, and each leaves ${stuck ? 'a session that logind does not let go of' : 'a dying memory cgroup below /user.slice'}`,
      held === undefined ? '.' : ` (${held} of them now).`,
      stuck
        ? ' Restarting logind lets go of those that are there.'
        : ' Reclaim frees those that are there; the next login makes the next one.',
      ' Lingering helps only where the memory cgroup is made per user and not per session; containing user.slice stops it either way.',
      ' Whoever logs in that often should be found: a cron job, a monitor over SSH, a script with su.',
    ].join('');
  },

  untreated:
    'Each login adds one more: at the rate seen here the node loses memory and gets slower every day, and a reclaim only empties it for a while.',

  prevent(evidence) {
    const sessions = probeValue(evidence.probes.sessions);
    const [user] = sessions?.users ?? [];
    const who: Prevention[] =
      user === undefined
        ? []
        : [
            {
              what: `find what logs in as ${user.name}, and let it keep one session open or log in less often`,
              where: 'the monitor, the cron job with a login or the script with su that uses this account',
              because: `${user.name} logged in ${user.logins} times in ${Math.round((sessions?.coveredSeconds ?? 0) / 60)} minutes`,
            },
          ];
    return [
      ...who,
      ...calmTheBusiest(evidence),
      {
        what: 'DisableControllers=memory for user.slice: sessions then have no memory cgroup, and no memory limit either',
        where:
          'a drop-in in /etc/systemd/system/user.slice.d/, in the image or the user data of the launch template',
        because: 'every login leaves a dying memory cgroup below /user.slice, with or without linger',
      },
      ...moveToV2(evidence),
      ...stayWithScaleOut('whoever logs in here logs in on new nodes as well'),
    ];
  },
};

/** What stays of a login by the word of logind, or of people: the session itself, its directory, its cgroup. */
function leftAfterLogin(evidence: Evidence): Omit<Finding, 'speaks'>[] {
  const left = probeValue(evidence.probes.observations)?.leftovers.find(({ after }) => after === 'login');
  const failed = probeValue(evidence.probes.sessions)?.abandonFailed ?? 0;
  return [
    ...(left === undefined
      ? []
      : [
          {
            fact: leftFact,
            value: left.what,
            weight: 0.5,
            source: 'as observed by hand',
          },
        ]),
    ...(failed === 0
      ? []
      : [
          {
            fact: failedFact,
            value: failed,
            threshold: 1,
            weight: 0.4,
            source: 'journal of systemd-logind; systemd#43745',
          },
        ]),
  ];
}
