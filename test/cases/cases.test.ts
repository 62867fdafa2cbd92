import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diagnose } from '../../lambdas/domain/diagnosis.ts';
import type { Evidence } from '../../lambdas/domain/evidence/evidence.ts';
import { planFor } from '../../lambdas/domain/plan.ts';
import { evidenceOf } from './evidence-of.ts';
import { type Incident, incidentFolder, incidentsIn } from './incident.ts';
import { defaultCluster, judge, type Measured, measure } from './measure.ts';
import { reportOf, variants } from './variants.ts';

const root = resolve(import.meta.dirname, '../..');
const incidents = incidentsIn(incidentFolder);
const cluster = defaultCluster();
/** Whose ladders have all that there is. */
const replacing = { ...cluster, replacement: { ...cluster.replacement, enabled: true } };

function cases(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/run.mjs', 'bin/cases.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

describe('npm run cases', () => {
  let measured: Measured;

  beforeAll(() => {
    measured = JSON.parse(
      execFileSync(process.execPath, ['bin/run.mjs', 'bin/cases.ts', '--json'], {
        cwd: root,
        encoding: 'utf8',
      }),
    );
  });

  it('meets every bar on the public incidents', () => {
    expect(measured.bars.filter(({ met }) => !met)).toEqual([]);
    expect(measured.ok).toBe(true);
  });

  it('plans no treatment that an incident forbids', () => {
    expect(measured.incidents.filter(({ forbidden }) => forbidden.length > 0)).toEqual([]);
    expect(measured.forbidden).toBe(0);
    expect(measure(incidents, replacing).forbidden).toBe(0);
  });

  it('counts those whose label is sure and asks for a cause', () => {
    const low = measured.incidents.filter(({ id }) =>
      ['62-ecs-2865-agent-15g', '59-fcos-1330-blkio-leak'].includes(id),
    );

    expect(low.map(({ counts }) => counts)).toEqual([false, false]);
    expect(measured.counted).toBe(25);
  });

  it('accounts for every incident', () => {
    const { total, right, acceptable, wrong, abstained, matrix } = measured;

    expect(total).toBe(incidents.length);
    expect(right + acceptable + wrong + abstained).toBe(total);
    expect(sum(Object.values(matrix).flatMap((row) => Object.values(row)))).toBe(total);
  });
});

describe('npm run cases on other incidents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cgroup-medic-cases-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('fails where a bar is missed, and says which', () => {
    const [first] = incidents;
    const mislabelled = {
      ...first,
      expected: { ...first?.expected, cause: 'dead-containers', alsoAcceptable: [] },
    };
    writeFileSync(join(folder, 'mislabelled.json'), JSON.stringify(mislabelled));

    const { code, out } = cases(folder);

    expect(out).toContain('**missed**');
    expect(code).toBe(1);
  });

  it('names the file that is no incident, and what is wrong with it', () => {
    writeFileSync(join(folder, 'broken.json'), '{"id": 1}');

    const { code, err } = cases(folder);

    expect(code).toBe(1);
    expect(err).toContain('broken.json is no incident');
  });

  it('explains itself when it is used wrongly', () => {
    const { code, err } = cases('--verbose');

    expect(code).toBe(2);
    expect(err).toContain('npm run cases');
  });
});

describe('the facts of an incident', () => {
  it.each(incidents)('$id: each is evidence, or silent for a reason', (incident) => {
    expect(evidenceOf(incident).told.filter(({ as }) => as === 'unknown')).toEqual([]);
  });

  it('fit the probes that they are read into', () => {
    const misfits = [...incidents, ...variants.map(reportOf)].flatMap((report) =>
      Object.entries(evidenceOf(report).evidence.probes).filter(([, { status }]) => status === 'failed'),
    );

    expect(misfits).toEqual([]);
  });

  it('do not tell the answer: the label, the title and the actions change nothing', () => {
    for (const incident of incidents) {
      const { year, platform, facts } = incident;
      const bare = { id: 'x', year, platform, facts };

      expect(evidenceOf(bare).evidence).toEqual(evidenceOf(incident).evidence);
    }
  });

  it('never plan what is forbidden, whichever of them is missing', () => {
    const offences = incidents.flatMap((incident) =>
      withoutOne(incident).flatMap((less) => {
        const { forbidden, got } = judge(less, replacing);
        return forbidden.map((treatment) => `${incident.id}: ${treatment} (${got})`);
      }),
    );

    expect(offences).toEqual([]);
  });

  it('never become health by getting fewer', () => {
    const healthy = incidents
      .filter(({ expected }) => expected.cause !== 'healthy')
      .flatMap(withoutOne)
      .filter((less) => judge(less, cluster).got === 'healthy');

    expect(healthy.map(({ id }) => id)).toEqual([]);
  });

  it('make nobody surer by losing a probe', () => {
    const surer = [...incidents, ...variants.map(reportOf)].flatMap((report) => {
      const { evidence } = evidenceOf(report);
      const whole = diagnose(evidence, cluster.thresholds);
      return Object.entries(evidence.probes).flatMap(([lost, { status }]) => {
        if (status !== 'ok') return [];
        const probes = { ...evidence.probes, [lost]: { status: 'missing', reason: 'lost' } };
        const less = diagnose({ ...evidence, probes } as Evidence, cluster.thresholds);
        return less.cause === whole.cause && less.confidence > whole.confidence
          ? [`${report.id} without ${lost}`]
          : [];
      });
    });

    expect(surer).toEqual([]);
  });

  it('of nothing are no evidence of anything', () => {
    const { evidence } = evidenceOf({ id: 'x', year: 2020, platform: {}, facts: [] });
    const diagnosis = diagnose(evidence, cluster.thresholds);

    expect(diagnosis.cause).toBe('inconclusive');
    expect(planFor(diagnosis, evidence, cluster).plan.map(({ treatment }) => treatment)).toEqual(['notify']);
  });
});

describe('reports in other words', () => {
  it.each(variants)('$name', (report) => {
    const { may, variant } = report;
    const { evidence, told } = evidenceOf(reportOf(report));
    const diagnosis = diagnose(evidence, cluster.thresholds);

    expect(told.filter(({ as }) => as === 'unknown')).toEqual([]);
    expect(may).toContain(diagnosis.cause);
    if (variant !== undefined) expect(diagnosis.variant).toBe(variant);
  });
});

describe('measure', () => {
  it('counts an abstention as not right, and a forbidden treatment as missed', () => {
    const silent = incidents.map((incident) => ({ ...incident, platform: {}, facts: [] }));
    const { bars, abstained } = measure(silent);

    expect(abstained).toBeGreaterThan(0);
    expect(bars.map(({ met }) => met)).toEqual([false, false, true, true]);

    const everything = incidents.map((incident) => ({
      ...incident,
      actions: {
        right: [],
        forbidden: ['reclaim', 'stop-scopes', 'restart-logind', 'contain-sessions', 'notify'],
      },
    }));
    expect(measure(everything).forbidden).toBeGreaterThan(0);
    expect(measure(everything).ok).toBe(false);
  });
});

function withoutOne(incident: Incident): Incident[] {
  const facts = incident.facts.map((_, index) => ({
    ...incident,
    facts: incident.facts.filter((_fact, other) => other !== index),
  }));
  const platform = Object.keys(incident.platform).map((key) => ({
    ...incident,
    platform: { ...incident.platform, [key]: null },
  }));
  return [...facts, ...platform];
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
