import { describe, expect, it } from 'vitest';
import type { IncidentRecord } from '../../lambdas/domain/incident-record.ts';
import { reportHtml } from '../../local/report.ts';

const hostile = `<script>alert("1")</script> & '2'`;

const record: IncidentRecord = {
  id: 'run-1',
  node: 'v2-zombies',
  recorded: true,
  outcome: 'cured',
  reason: 'reclaim helped',
  diagnosis: {
    cause: 'dying-memcgs',
    confidence: 0.91,
    alsoPossible: [{ cause: 'healthy', confidence: 0.1 }],
    findings: [
      { fact: 'dying memory cgroups', value: 4600, threshold: 2000, speaks: 'for', source: hostile },
    ],
    gaps: [{ probe: 'pressure', reason: 'PSI is off' }],
    explanation: 'Removed, but still in the kernel.',
    shadow: [{ cause: 'workload-leak', confidence: 0.6 }],
    untreated: 'It gets worse.',
    prevention: [{ what: 'Use v2', where: 'the AMI', because: 'cgroup v1' }],
  },
  plan: [
    {
      treatment: 'drop-caches',
      kind: 'document',
      arguments: {},
      risk: 'medium',
      needs: 'approval',
      reason: 'the last resort',
      standing: false,
      onceStopped: false,
      namesItsApproval: false,
      onlyWhenCalm: false,
      disrupts: true,
      expects: { text: 'few are left', signal: 'dying', level: 'falls' },
    },
  ],
  lookAgain: {
    at: '2026-11-22T06:30:00.000Z',
    cause: 'dying-memcgs',
    treatment: 'reclaim',
    signal: 'dying',
    level: 230,
  },
  leftOut: [{ treatment: 'drop-caches', reason: 'not <allowed>' }],
  rungs: [
    {
      treatment: 'reclaim',
      arguments: { slices: '/user.slice' },
      risk: 'low',
      status: 'done',
      approval: { id: 'a', status: 'approved', by: 'ada' },
      result: {
        changed: true,
        before: { dying: 4600, cachedKb: 1000 },
        after: { dying: 230, cachedKb: 990 },
      },
      verification: {
        cured: true,
        verdict: 'cured',
        provisional: true,
        findings: [],
        samples: [],
        alsoFound: [{ cause: 'kubelet-leak', variant: 'pod-certs', confidence: 0.8 }],
      },
      undo: { status: 'nothing', reason: 'nothing stood' },
    },
  ],
  timings: { total: 12_345, byPhase: { examine: 2000, treat: 4000 } },
  audit: '/runs/run-1/audit.jsonl',
  report: '/runs/run-1/report.html',
};
const line = JSON.stringify({
  version: 1,
  incident: 'run-1',
  cluster: 'local',
  instanceId: 'i-0',
  seq: 0,
  at: '2026-11-21T06:30:05.000Z',
  key: 'k',
  fencing: 1,
  software: '0.1.0',
  previousHash: null,
  hash: 'h',
  step: 'diagnosed',
  actor: { kind: 'rule', id: 'diagnose' },
  what: hostile,
});

describe('the report', () => {
  const page = reportHtml(record, [line, '{"kind":"signed-head"}'], 'Composed from figures.');

  it.each([
    ['how it ended', 'cured</span>'],
    ['the numbers before and after', '<td>4,600</td><td>230</td>'],
    ['the diagnosis', 'Diagnosis: dying-memcgs'],
    ['a gap with its reason', 'PSI is off'],
    ['what it costs to do nothing', '<strong>If nothing is done:</strong> It gets worse.'],
    ['what else is possible', 'Also possible: healthy (confidence 0.1).'],
    ['what rules say that only watch', 'Rules that only watch say: workload-leak (confidence 0.6).'],
    ['how to prevent it', '<li>Use v2 (the AMI), for cgroup v1</li>'],
    ['what would be done', '<td>the last resort</td><td>few are left</td>'],
    ['when it is looked at again', 'The census looks again at 2026-11-22T06:30:00.000Z.'],
    ['what was found on the way', '<dd>kubelet-leak, pod-certs (confidence 0.8)</dd>'],
    ['each rung', '<dt>slices</dt><dd>/user.slice</dd>'],
    ['who approved', 'approved by ada'],
    ['the undo', 'nothing: nothing stood'],
    ['the timeline', '12.3 s from the command to the closed incident'],
    ['the audit', '06:30:05'],
    ['the end of the audit', 'signed head'],
  ])('has %s', (_, text) => {
    expect(page).toContain(text);
  });

  it('keeps the numbers where a later rung counts nothing', () => {
    const [reclaimed] = record.rungs;
    if (reclaimed === undefined) throw new Error('the record has no rung');
    const later = (before: object, after: object) =>
      reportHtml(
        {
          ...record,
          rungs: [
            reclaimed,
            { ...reclaimed, result: { changed: true, before: { ...before }, after: { ...after } } },
          ],
        },
        [],
      );

    expect(later({ lingering: 0 }, { lingering: 1 })).toContain('<td>4,600</td><td>230</td>');
    expect(later({ dying: 300 }, { dying: 310 })).toContain('<td>4,600</td><td>310</td>');
    expect(later({ dying: 300 }, { dying: 310 })).toContain('<td>1,000</td><td>990</td>');
  });

  it('says plainly that a node is recorded, and where its numbers come from', () => {
    expect(page).toContain('Recorded node.');
    expect(page).toContain('Composed from figures.');
    expect(reportHtml({ ...record, recorded: false }, [])).not.toContain('Recorded node.');
  });

  it('says which treatments were not on the ladder, and why; nothing where all were', () => {
    expect(page).toContain('<li><strong>drop-caches</strong>: not &lt;allowed&gt;</li>');
    expect(reportHtml({ ...record, leftOut: [] }, [])).not.toContain('Not on the ladder');
  });

  it('escapes whatever comes from a node or a person', () => {
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;2&#39;');
  });

  it('needs nothing from elsewhere, and allows no script', () => {
    expect(page).not.toMatch(/(src|href)=/);
    expect(page).toContain("default-src 'none'");
  });

  it('follows the light and the width of the screen', () => {
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page).toContain('name="viewport"');
    expect(page).toContain('max-width: 40rem');
  });

  it('can do without a diagnosis and without treatments', () => {
    const bare = reportHtml({ ...record, diagnosis: null, rungs: [], outcome: 'refused' }, []);
    expect(bare).toContain('There is no diagnosis.');
    expect(bare).toContain('None was tried.');
  });
});
