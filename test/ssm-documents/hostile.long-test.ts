import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostileValues } from './hostile-values.ts';
import { runParts } from './shell-parts.ts';
import { standIns } from './stand-in-systemd.ts';

let root: string;
let canary: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-hostile-'));
  canary = join(root, 'canary');
  standIns(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What `check "$value"` prints for each value, all in one shell; a value that ends its document prints the error. */
function answers(parts: string[], values: string[], setup: string, check: string): string[] {
  const list = join(root, 'values');
  writeFileSync(list, values.map((value) => `${value}\0`).join(''));
  const { stdout, status } = runParts(
    parts,
    `${setup}\nwhile IFS= read -r -d '' value; do (${check}) 2>/dev/null 3<&- || true; printf '\\0'; done <'${list}'`,
    { root },
  );
  expect(status).toBe(0);
  return stdout.split('\0').slice(0, -1);
}

describe('more than a thousand hostile values', () => {
  it('name no service and run nothing', { timeout: 120_000 }, () => {
    const values = hostileValues(canary);
    const result = answers(
      ['systemd', 'units'],
      values,
      'find_systemd',
      'if resolve_service "$value"; then echo "taken $UNIT"; else echo "$REASON"; fi',
    );

    expect(values.length).toBeGreaterThan(1000);
    expect(result).toHaveLength(values.length);
    expect(result.filter((text) => text.startsWith('taken') || text.trim() === '')).toEqual([]);
    expect(existsSync(canary)).toBe(false);
  });

  it('are users only where they are plain names, and run nothing', { timeout: 120_000 }, () => {
    const values = hostileValues(canary);
    const result = answers(
      ['turn'],
      values,
      ". <(sed '$d' ssm-documents/scripts/enable-linger.sh)",
      `SSM_users="$value"; name_users; echo "taken \${USERS[*]}"`,
    );

    const taken = result.filter((text) => text.startsWith('taken'));
    expect(result).toHaveLength(values.length);
    for (const text of taken)
      expect(text).toMatch(/^taken [A-Za-z_][A-Za-z0-9_.-]{0,31}( [A-Za-z_][A-Za-z0-9_.-]{0,31})*\n$/);
    for (const text of result.filter((line) => !taken.includes(line)))
      expect(JSON.parse(text)).toHaveProperty('error');
    expect(existsSync(canary)).toBe(false);
  });

  it('name no approval unless they are plain, and run nothing', { timeout: 120_000 }, () => {
    const values = hostileValues(canary);
    const result = answers(
      ['turn'],
      values,
      ". <(sed '$d' ssm-documents/scripts/drop-caches.sh); SSM_ioFullLimit=0 SSM_maxSeconds=30 SSM_dryRun=true",
      'SSM_approval="$value"; check_parameters; echo taken',
    );

    expect(result).toHaveLength(values.length);
    for (const [index, text] of result.entries()) {
      if (text === 'taken\n') expect(values[index]).toMatch(/^(policy:)?[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/);
      else expect(JSON.parse(text).error).toMatch(/^approval is "/);
    }
    expect(existsSync(canary)).toBe(false);
  });

  it.each([
    ['a choice', 'one_of choice "$value" true false', 'true'],
    ['a number of a list', 'one_of choice "$value" 300 900', '300'],
    ['an incident', 'use_incident x "$value"', ''],
    [
      'a fencing number',
      'SSM_fencing="$value" SSM_dryRun=true SSM_incident=i STATE="$ROOT/s"; take_turn',
      '300',
    ],
  ])('are refused as %s, and run nothing', { timeout: 120_000 }, (_, check, harmless) => {
    const values = hostileValues(canary).filter((value) => value.length < 3000);
    const result = answers(['turn'], values, '', `${check}; echo taken`);

    const plain = /^[A-Za-z0-9_-]{1,80}$/;
    expect(values.length).toBeGreaterThan(1000);
    for (const [index, text] of result.entries()) {
      const value = values[index] ?? '';
      if (text === 'taken\n')
        expect(harmless === '' ? plain.test(value) : /^(true|[0-9]{1,12})$/.test(value)).toBe(true);
      else expect(JSON.parse(text)).toHaveProperty('error');
    }
    expect(existsSync(canary)).toBe(false);
  });
});
