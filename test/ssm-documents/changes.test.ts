import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runParts } from './shell-parts.ts';

let root: string;
let saved: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-changes-'));
  saved = join(root, 'state/saved');
  mkdirSync(join(root, 'things'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Things are files here; their content is the value. */
const things = `
STATE="$ROOT/state"
value_of_k() {
  [[ -e "$ROOT/things/$1" ]] || return 3
  [[ "$(<"$ROOT/things/$1")" != secret ]] || { REASON='cannot read it'; return 1; }
  VALUE="$(<"$ROOT/things/$1")"
}
take_back_k() {
  echo "k $1 $2 $3" >>"$ROOT/calls"
  [[ "$1" != stubborn ]] || { REASON='it would not'; return 1; }
  [[ "$1" != used ]] || { REASON='it is in use'; return 2; }
  printf '%s' "$2" >"$ROOT/things/$1"
}
say() { printf '%s|%s|%s' "$RESTORED" "$REMAINING" "$SKIPPED"; }
`;
const run = (code: string) => runParts(['turn', 'changes'], things + code, { root });
const set = (name: string, value: string) => writeFileSync(join(root, 'things', name), value);
const get = (name: string) => readFileSync(join(root, 'things', name), 'utf8');

describe('what a treatment changes', () => {
  it('is kept, one line a change, before it is done', () => {
    const result = run(
      'plan_change linger ann off on; plan_change file "/etc/a b" absent "file 1 2 644"; save_changes',
    );

    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(saved, 'utf8')).toBe('linger\tann\toff\ton\nfile\t/etc/a b\tabsent\tfile 1 2 644\n');
  });

  it('is nothing when nothing is planned', () => {
    expect(run('save_changes').status).toBe(0);
    expect(existsSync(join(root, 'state'))).toBe(false);
  });

  it('keeps the original when a killed run of the incident is run again', () => {
    run('plan_change k a 1 2; plan_change k b 1 2; save_changes');
    run('plan_change k c 5 6; plan_change k a 2 3; save_changes');

    expect(readFileSync(saved, 'utf8')).toBe('k\ta\t1\t3\nk\tb\t1\t2\nk\tc\t5\t6\n');
    expect(run('saved_change k a; echo "$FROM $TO"').stdout).toBe('1 3\n');
    expect(run('saved_change k z || echo none').stdout).toBe('none\n');
  });

  it.each(["'a\tb'", "$'a\\nb'", "''"])('cannot be kept with the subject %s', (subject) => {
    const result = run(`plan_change k ${subject} 1 2 || echo "$REASON"; save_changes`);

    expect(result.stdout).toContain('cannot be recorded for the undo');
    expect(existsSync(saved)).toBe(false);
  });

  it('is kept completely or not at all when the disk is full', () => {
    run('plan_change k a 1 2; save_changes');
    const before = readFileSync(saved, 'utf8');
    const full = run(
      'ln -sf /dev/full "$STATE/saved.new"; plan_change k b 1 2; save_changes || echo refused',
    );

    expect(full.stdout).toBe('refused\n');
    expect(readFileSync(saved, 'utf8')).toBe(before);
  });

  it('is read as text, whatever it says', () => {
    const hostile = '$(touch canary) `touch canary` * ; \\ "\' ..';
    set('x', '2');
    const result = run(
      `plan_change k ${JSON.stringify(hostile).replaceAll('$', '\\$').replaceAll('`', '\\`')} 1 2; save_changes; restore_changes false; say`,
    );

    expect(result).toMatchObject({ status: 0, stdout: '0|0|' });
    expect(existsSync('canary')).toBe(false);
  });
});

describe('taking it back', () => {
  it('goes from the last change to the first, and forgets', () => {
    set('a', '2');
    set('b', '2');
    const result = run('plan_change k a 1 2; plan_change k b 1 2; save_changes; restore_changes false; say');

    expect(result.stdout).toBe('2|0|');
    expect(readFileSync(join(root, 'calls'), 'utf8')).toBe('k b 1 2\nk a 1 2\n');
    expect([get('a'), get('b')]).toEqual(['1', '1']);
    expect(existsSync(saved)).toBe(false);
    expect(run('restore_changes false; say').stdout).toBe('0|0|');
  });

  it('leaves alone what was not done, is gone, or was changed by somebody else since', () => {
    set('not-done', '1');
    set('theirs', '7');
    const plan = ['not-done', 'gone', 'theirs'].map((name) => `plan_change k ${name} 1 2`).join('; ');
    const result = run(`${plan}; save_changes; restore_changes false; say`);

    expect(result.stdout).toBe('0|0|theirs\tk is 7 now, changed by somebody else; it was 1\n');
    expect([get('not-done'), get('theirs')]).toEqual(['1', '7']);
    expect(existsSync(saved)).toBe(false);
  });

  it('says so in a dry run, and changes nothing', () => {
    set('a', '2');
    set('theirs', '7');
    const result = run(
      'plan_change k a 1 2; plan_change k theirs 1 2; save_changes; restore_changes true; say',
    );

    expect(result.stdout).toMatch(/^1\|0\|theirs\t/);
    expect(get('a')).toBe('2');
    expect(readFileSync(saved, 'utf8')).toBe('k\ta\t1\t2\nk\ttheirs\t1\t2\n');
  });

  it.each([
    ['empty', ''],
    ['cut off', 'k\ta\t1'],
    ['cut off at the end', 'k\ta\t1\t'],
    ['of a kind that nobody knows', 'rm -rf\ta\t1\t2\n'],
  ])('fails where what was kept is %s, and keeps it', (_, text) => {
    set('a', '2');
    mkdirSync(join(root, 'state'));
    writeFileSync(saved, text);
    const result = run('restore_changes false; say');

    expect(result).toMatchObject({ status: 0, stdout: '0|1|' });
    expect(result.stderr).toMatch(/damaged|unknown kind of change/);
    expect(get('a')).toBe('2');
    expect(run('restore_changes false; say').stdout).toBe('0|1|');
  });

  it('keeps what it could not take back or read, and only that, in its order', () => {
    for (const name of ['a', 'stubborn', 'used']) set(name, '2');
    set('unreadable', 'secret');
    const plan = ['stubborn', 'a', 'unreadable', 'used']
      .map((name) => `plan_change k ${name} 1 2`)
      .join('; ');
    const result = run(`${plan}; save_changes; restore_changes false; say`);

    expect(result.stdout).toBe('1|2|used\tit is in use\n');
    expect(result.stderr).toContain('could not take back k of stubborn: it would not');
    expect(readFileSync(saved, 'utf8')).toBe('k\tstubborn\t1\t2\nk\tunreadable\t1\t2\n');

    set('unreadable', '2');
    expect(run('restore_changes false; say').stdout).toBe('1|1|');
    expect(readFileSync(saved, 'utf8')).toBe('k\tstubborn\t1\t2\n');
  });
});

describe('files of ours', () => {
  const files = `
STATE="$ROOT/state"
say() { printf '%s|%s|%s' "$RESTORED" "$REMAINING" "$SKIPPED"; }
SSM_incident=i-1
name_drop_in user.slice memory $'[Slice]\\nDisableControllers=memory'
`;
  const use = (code: string, env = {}) =>
    runParts(['turn', 'changes', 'files', 'drop-in'], files + code, { root, env });
  const folder = () => join(root, 'etc/systemd/system/user.slice.d');
  const file = () => join(folder(), '50-cgroup-medic-memory.conf');
  const apply = 'plan_drop_in; save_changes; write_drop_in';
  beforeEach(() => mkdirSync(join(root, 'etc/systemd/system'), { recursive: true }));

  it('are written for everybody to read, and go with the directory that was made for them', () => {
    expect(use(apply).status).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe(
      '# Written by cgroup-medic for incident i-1. Its undo removes it; so may you, then: systemctl daemon-reload\n[Slice]\nDisableControllers=memory\n',
    );
    expect(use(`stat -c %a '${file()}' '${folder()}'`).stdout).toBe('644\n755\n');
    expect(use('restore_changes false; say').stdout).toBe('2|0|');
    expect(existsSync(folder())).toBe(false);
  });

  it('leave a directory that was there before, with its mode', () => {
    mkdirSync(folder());
    chmodSync(folder(), 0o711);
    use(apply);
    expect(use('restore_changes false; say').stdout).toBe('1|0|');
    expect(use(`stat -c %a '${folder()}'`).stdout).toBe('711\n');
  });

  it('leave a directory into which somebody else has put something, and say so', () => {
    use(apply);
    writeFileSync(join(folder(), 'theirs.conf'), '');

    expect(use('restore_changes false; say').stdout).toBe(
      `1|0|/etc/systemd/system/user.slice.d\tsomebody else has put something into it\n`,
    );
    expect(existsSync(join(folder(), 'theirs.conf'))).toBe(true);
  });

  it.each(['echo "# x" >>', 'chmod 600'])('stay when somebody has changed them (%s)', (change) => {
    use(apply);
    use(`${change} '${file()}'`);

    expect(use('restore_changes false; say').stdout).toContain('changed by somebody else');
    expect(existsSync(file())).toBe(true);
  });

  it('are found there by the next run, of whichever incident, and not written over somebody else’s', () => {
    use(apply);
    expect(use('plan_drop_in || echo $?').stdout).toBe('4\n');
    expect(
      use(
        "SSM_incident=i-2; name_drop_in user.slice memory $'[Slice]\\nDisableControllers=memory'; plan_drop_in || echo $?",
      ).stdout,
    ).toBe('4\n');
    writeFileSync(file(), '[Slice]\n');
    expect(use('plan_drop_in || echo "$? $REASON"').stdout).toMatch(
      /^1 .*exists already with another content/,
    );
    rmSync(file());
    use(`ln -s /etc/passwd '${file()}'`);
    expect(use('plan_drop_in || echo "$? $REASON"').stdout).toMatch(/^1 /);
  });

  it('leave nothing unfinished behind', () => {
    mkdirSync(folder());
    use(`plan_drop_in; save_changes; printf half >'${file()}.new'`);
    expect(use('remove_unfinished_files; restore_changes false; say').stdout).toBe('0|0|');
    expect(existsSync(`${file()}.new`)).toBe(false);
  });

  it('are not written through a link in place of the directory', () => {
    use(`mkdir '${root}/elsewhere'; ln -s '${root}/elsewhere' '${folder()}'`);
    expect(use('plan_drop_in || echo "$? $REASON"').stdout).toBe(
      '1 /etc/systemd/system/user.slice.d is not a directory\n',
    );
  });
});
