import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { RungResult } from '../../../lambdas/domain/incident-state.ts';
import { standingChanges, standingSentence, undoByAwsCli } from '../../../lambdas/domain/standing-changes.ts';

const undo = { document: 'release-sessions', arguments: { incident: 'inc', dryRun: 'false' } };
const verification = { cured: true, verdict: 'cured' as const, findings: [], samples: [] };
const helped: RungResult = {
  treatment: 'contain-sessions',
  arguments: {},
  risk: 'medium',
  status: 'done',
  result: { changed: true, before: {}, after: {}, undo },
  verification,
};

describe('standingChanges', () => {
  it('lists what helped and can be taken back', () => {
    expect(standingChanges([helped])).toEqual([{ treatment: 'contain-sessions', undo }]);
    expect(
      standingChanges([{ ...helped, verification: { ...verification, verdict: 'relieved' } }]),
    ).toHaveLength(1);
  });

  it.each<[string, Partial<RungResult>]>([
    ['did not help', { verification: { ...verification, verdict: 'not-cured' } }],
    ['was undone', { undo: { status: 'done', reason: 'taken back' } }],
    ['changed nothing that stays', { result: { changed: true, before: {}, after: {} } }],
  ])('does not list what %s', (_, change) => {
    expect(standingChanges([{ ...helped, ...change }])).toEqual([]);
  });

  it('lists nothing of a node that was replaced: it has gone with it', () => {
    const replaced: RungResult = {
      ...helped,
      treatment: 'replace-node',
      result: { changed: true, before: {}, after: {} },
    };
    expect(standingChanges([helped, replaced])).toEqual([]);
    const refused: RungResult = { ...replaced, status: 'refused' };
    delete refused.verification;
    expect(standingChanges([helped, refused])).toHaveLength(1);
  });

  it('says how it is taken back, by a command that can be pasted', () => {
    const change = { treatment: 'contain-sessions', undo };
    const command = undoByAwsCli(change, 'Medic-Documents-1AB', 'i-0abc');
    // As a shell takes it apart.
    const words = (text: string) =>
      execFileSync('sh', ['-c', `printf '%s\\n' ${text}`], { encoding: 'utf8' })
        .trimEnd()
        .split('\n');

    expect(standingSentence(change, command)).toBe(
      `contain-sessions stays on the node. This takes it back:\n${command}`,
    );
    expect(words(command)).toEqual([
      ...['aws', 'ssm', 'send-command', '--instance-ids', 'i-0abc', '--document-name', 'Medic-Documents-1AB'],
      ...['--parameters', '{"incident":["inc"],"dryRun":["false"]}'],
    ]);
    const odd = { ...change, undo: { ...undo, arguments: { unit: "a\\x2db'; $(id) `id`" } } };
    expect(JSON.parse(words(undoByAwsCli(odd, 'D', 'i')).at(-1) ?? '')).toEqual({
      unit: [odd.undo.arguments.unit],
    });
  });
});
