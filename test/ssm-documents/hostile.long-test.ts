import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkParameters } from '../../local/node/ssm-agent.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';
import { hostileValues } from './hostile-values.ts';
import { required } from './required-parameters.ts';
import { runParts } from './shell-parts.ts';
import { standIns } from './stand-in-systemd.ts';

let root: string;
let canary: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-hostile-'));
  canary = join(root, 'canary');
  standIns(root);
  mkdirSync(join(root, 'sys/fs/cgroup/a.slice'), { recursive: true });
  writeFileSync(join(root, 'sys/fs/cgroup/a.slice/memory.reclaim'), '');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What `check "$value"` prints for each value, all in one shell; a value that ends its document prints the error. */
function answers(values: string[], setup: string, check: string): string[] {
  const list = join(root, 'values');
  writeFileSync(list, values.map((value) => `${value}\0`).join(''));
  const { stdout, status } = runParts(
    [],
    `${setup}\nwhile IFS= read -r -d '' value; do (${check}) 2>/dev/null 3<&- || true; printf '\\0'; done <'${list}'`,
    { root },
  );
  expect(status).toBe(0);
  return stdout.split('\0').slice(0, -1);
}

/**
 * A whole document but for its last line, which begins it, on a node that has answered every question by the time it
 * asks: a document that has taken all its parameters says so, and looks and changes nothing.
 */
function begun(name: string): string {
  const script = loadDocument(name).content.mainSteps.flatMap((step) => step.inputs.runCommand);
  const file = join(root, 'document.sh');
  writeFileSync(file, `${script.slice(0, -1).join('\n')}\n`);
  // Each function where a document first looks at the node after it has taken its parameters.
  const taken = ['begin_turn', 'begin_probing', 'check_undone', 'take_undo_turn', 'report']
    .map((look) => `${look}() { echo taken; exit 0; }`)
    .join('\n');
  return `. '${file}'
trap - EXIT
${taken}
lower_priority() { :; }
find_hierarchy() { HIERARCHY=v2 MOUNT=/sys/fs/cgroup; }
find_systemd() { SYSTEMCTL="$ROOT/usr/bin/systemctl" SYSTEMD_VERSION=252; }
find_loginctl() { find_systemd; }
find_runtime() { :; }
full_pressure() { FULL=0; }
find_command() { COMMAND="$ROOT/usr/bin/$1"; }
unit_properties() { PROPERTY=(); REASON='there is none'; return 1; }
check_lock() { :; }
take_lock() { :; }
print_undo_result() { echo taken; }
begin() { ${script.at(-1)}; }`;
}

const everyParameter = documentNames.flatMap((name) =>
  Object.keys(loadDocument(name).content.parameters).map((parameter) => [name, parameter] as const),
);

/** Every file of the node, with its content. */
const files = () =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(values|document\.sh)$/.test(entry.name))
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]);

describe('more than a thousand hostile values', () => {
  it.each(everyParameter)(
    'of %s %s are refused by the script itself, or taken literally',
    { timeout: 300_000 },
    (name, parameter) => {
      const { parameters: rules } = loadDocument(name).content;
      const values = hostileValues(canary);
      const given = checkParameters(
        { parameters: rules },
        { ...required[name], ...('dryRun' in rules ? { dryRun: 'true' } : {}) },
      );
      const setup = Object.entries(given).map(([key, value]) => `SSM_${key}='${value}'`);
      const before = files();
      const accepts = (value: string) => {
        try {
          checkParameters({ parameters: rules }, { ...required[name], [parameter]: value });
          return true;
        } catch {
          return false;
        }
      };
      // Harmless ones, too: a script that refuses everything would do as well.
      const { default: standard, allowedValues = [] } = rules[parameter] ?? {};
      const harmless = [...allowedValues, standard ?? required[name]?.[parameter] ?? ''];
      const [said, well] = [values, harmless].map((list) =>
        answers(list, [...setup, begun(name)].join('\n'), `SSM_${parameter}="$value"; begin`),
      );

      expect(values.length).toBeGreaterThan(1000);
      expect(said).toHaveLength(values.length);
      for (const [index, text] of said?.entries() ?? []) {
        const value = values[index] ?? '';
        if (text.startsWith('taken')) expect([value, accepts(value)]).toEqual([value, true]);
        else expect(JSON.parse(text)).toMatchObject({ document: name, error: expect.any(String) });
      }
      const refused = well?.filter((text) => !text.startsWith('taken')) ?? [];
      // A service is looked for, and the stand-in has none.
      expect(refused.filter((text) => !text.includes('there is none'))).toEqual([]);
      expect(existsSync(canary)).toBe(false);
      expect(files()).toEqual(before);
    },
  );

  it('name no service and run nothing', { timeout: 300_000 }, () => {
    const values = hostileValues(canary);
    const source = ['systemd', 'protected', 'units']
      .map((part) => `. ssm-documents/scripts/lib/${part}.sh`)
      .join('\n');
    const result = answers(
      values,
      `${source}\nfind_systemd`,
      'if resolve_service "$value"; then echo "taken $UNIT"; else echo "$REASON"; fi',
    );

    expect(values.length).toBeGreaterThan(1000);
    expect(result).toHaveLength(values.length);
    expect(result.filter((text) => text.startsWith('taken') || text.trim() === '')).toEqual([]);
    expect(existsSync(canary)).toBe(false);
  });
});
