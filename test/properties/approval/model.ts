import type { Approval } from '../../../lambdas/domain/approval/approval.ts';
import { type Name, whoIs } from './people.ts';
import { type Decide, expirySeconds, type Rules } from './world.ts';

/** What has to be true of an approval, told in the plainest way there is. */
export class Model {
  readonly rules: Rules;
  /** Seconds since it was asked for. */
  now = 0;
  asked = false;
  /** The execution is gone, and the janitor has been there. */
  isClosed = false;
  status: 'pending' | 'approved' | 'denied' | 'expired' | 'void' = 'pending';
  approvedBy: string[] = [];
  deniedBy: string | undefined;
  /** The record as it was when it came to its end. */
  final: string | undefined;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  /** Whether this decision has to be recorded. */
  takes({ who, decision, reason }: Decide): boolean {
    if (!this.asked) return false;
    const { id } = whoIs[who];
    if (this.status === 'pending' && decision === 'approve' && this.approvedBy.includes(id)) return true;
    if (this.status === 'approved' && decision === 'approve') return this.approvedBy.includes(id);
    if (this.status === 'denied' && decision === 'deny') return this.deniedBy === id;
    if (this.status !== 'pending' || this.now >= expirySeconds) return false;
    if (!this.mayDecide(who, this.now)) return false;
    return decision === 'approve' ? this.mayApprove(who) : reason !== undefined && reason.trim() !== '';
  }

  mayDecide(who: Name, at: number): boolean {
    const { groups, escalateAtPercent } = this.rules;
    if (!groups || whoIs[who].groups.includes('oncall')) return true;
    const isTold = escalateAtPercent > 0 && at >= (expirySeconds * escalateAtPercent) / 100;
    return isTold && whoIs[who].groups.includes('managers');
  }

  mayApprove(who: Name): boolean {
    const { byAna, onePersonTeam, quorum } = this.rules;
    // Nobody can say that whoever uses a role is not Ana.
    const own = byAna && (who === 'ana' || !whoIs[who].known);
    if (own && !onePersonTeam) return false;
    return quorum === 1 || whoIs[who].known;
  }

  taken({ who, decision }: Decide): void {
    const { id } = whoIs[who];
    if (decision === 'deny') {
      this.status = 'denied';
      this.deniedBy = id;
      return;
    }
    if (!this.approvedBy.includes(id)) this.approvedBy.push(id);
    if (this.approvedBy.length >= this.rules.quorum) this.status = 'approved';
  }

  /** After what could go either way: what the record says is what happened. */
  follow(record: Approval | undefined): void {
    this.asked = record !== undefined;
    this.status = record?.status ?? 'pending';
    const by = (decision: string) =>
      (record?.decisions ?? []).filter((one) => one.decision === decision).map(({ person }) => person);
    this.approvedBy = by('approve');
    this.deniedBy = by('deny').at(-1);
  }

  /** What of a record could not have come about rightly; `started`: when it was asked for. */
  wrongIn(record: Approval): string[] {
    const wrong: string[] = [];
    const approvals = record.decisions.filter(({ decision }) => decision === 'approve');
    const denials = record.decisions.filter(({ decision }) => decision === 'deny');
    const people = new Set(approvals.map(({ person }) => person));
    if (people.size !== approvals.length) wrong.push('somebody approved twice');
    const enough = people.size >= this.rules.quorum;
    if (enough !== (record.status === 'approved'))
      wrong.push(`${record.status} with ${people.size} of ${this.rules.quorum}`);
    if ((record.status === 'denied') !== (denials.length === 1))
      wrong.push(`${record.status} with ${denials.length} denials`);
    if (denials.some(({ reason = '' }) => reason.trim() === '')) wrong.push('denied without a reason');
    for (const { person, decision, at, onePersonTeam } of record.decisions) {
      const who = (Object.keys(whoIs) as Name[]).find((name) => whoIs[name].id === person);
      const second = (Date.parse(at) - Date.parse(record.createdAt)) / 1000;
      if (second >= expirySeconds) wrong.push(`${person} decided after ${second} s`);
      if (who === undefined || !this.mayDecide(who, second))
        wrong.push(`${person} may not decide at ${second} s`);
      else if (decision === 'approve' && !this.mayApprove(who)) wrong.push(`${person} may not approve this`);
      const own = this.rules.byAna && (who === 'ana' || who === 'role' || who === 'role-again');
      if (decision === 'approve' && own !== (onePersonTeam === true))
        wrong.push(`${person}: one-person team is ${onePersonTeam}`);
    }
    return wrong;
  }
}
