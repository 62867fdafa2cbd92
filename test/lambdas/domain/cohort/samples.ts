import type { Cohort } from '../../../../lambdas/domain/cohort/cohort.ts';
import {
  type At,
  begins,
  comeTo,
  decided,
  type Joining,
  leaves,
} from '../../../../lambdas/domain/cohort/steps.ts';
import { CohortSettings } from '../../../../lambdas/domain/settings/cohort.ts';

export const settings = CohortSettings.parse({});
const start = Date.parse('2026-11-28T10:00:00Z');
const holdMinutes = 30;

/** This minute of the sample, at which everybody has half an hour to come back. */
export function at(minute: number, change: Partial<CohortSettings> = {}): At {
  const now = new Date(start + minute * 60_000);
  return {
    now,
    settings: { ...settings, ...change },
    until: new Date(now.getTime() + holdMinutes * 60_000),
  };
}

export function joining(name: string, change: Partial<Joining> = {}): Joining {
  return {
    incident: name,
    instanceId: `i-${name}`,
    treatment: 'restart-kubelet',
    automatic: false,
    zone: 'us-east-1a',
    group: 'web',
    image: 'ami-1',
    facts: [],
    ...change,
  };
}

export const come = (cohort: Cohort, name: string, when: At, change: Partial<Joining> = {}): Cohort =>
  comeTo(cohort, joining(name, change), when);

/** A decision on what is asked. */
export const decide = (
  cohort: Cohort,
  status: 'approved' | 'denied' | 'expired' | 'void',
  when: At,
): Cohort =>
  decided(cohort, { approvalId: cohort.asked?.approvalId ?? '', status, by: 'ana', reason: 'said so' }, when);

/** Its treatment begins, and four hours are left for it. */
export const begin = (cohort: Cohort, name: string, when: At): Cohort => {
  const begun = begins(cohort, name, new Date(when.now.getTime() + 4 * 3_600_000));
  if (begun === undefined) throw new Error(`it is not the turn of ${name}`);
  return begun;
};

export const end = (
  cohort: Cohort,
  name: string,
  came: 'helped' | 'failed' | 'left' | 'died',
  when: At,
): Cohort => leaves(cohort, name, { came, why: `it ${came}` }, when);

/** Begun and ended by this. */
export const treat = (cohort: Cohort, name: string, came: 'helped' | 'failed', when: At): Cohort =>
  end(begin(cohort, name, when), name, came, when);

export const named = ({ members }: Cohort, is: Cohort['members'][number]['is']): string[] =>
  members.filter((member) => member.is === is).map(({ incident }) => incident);
