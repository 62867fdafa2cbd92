import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lambdas/domain/canonical-json.ts';
import { documentNames, loadDocument, parseContent } from '../../ssm-documents/load.ts';

/** The service's limit is 64 KB with parameters; the rest is room for its own envelope. */
const limit = 48 * 1000;
/** The most characters that are taken: by the pattern, and for `slices` by the script (parameters.test.ts). */
const longest: Record<string, number> = {
  slices: 4000,
  incident: 80,
  fencing: 12,
  unit: 255,
  users: 20 * 33,
  approval: 207,
};

describe('the documents', () => {
  it('names the documents there are when asked for another', () => {
    expect(() => loadDocument('reboot')).toThrow('unknown document "reboot": use one of collect-evidence, ');
  });

  it.each(documentNames)('%s stays under the size limit with its largest parameters', (name) => {
    const { content } = loadDocument(name);

    const parameters = Object.entries(content.parameters)
      .map(
        ([key, { allowedValues }]) =>
          longest[key] ?? Math.max(...(allowedValues ?? []).map((value) => value.length)),
      )
      .reduce((sum, length) => sum + length, 0);

    expect(parameters).not.toBeNaN();
    expect(JSON.stringify(content).length + parameters).toBeLessThan(limit);
  });

  it.each(documentNames)('%s takes parameters as environment variables only, each bounded', (name) => {
    const { content } = loadDocument(name);

    expect(JSON.stringify(content.mainSteps)).not.toContain('{{');
    for (const rule of Object.values(content.parameters)) {
      expect(rule.interpolationType).toBe('ENV_VAR');
      expect(
        rule.allowedValues ?? (rule.allowedPattern?.startsWith('^') && rule.allowedPattern.endsWith('$')),
      ).toBeTruthy();
      // No repetition without an end outside a set of characters: the pattern is what bounds the length.
      expect(rule.allowedPattern?.replace(/\[[^\]]*\]/g, '') ?? '').not.toMatch(/[*+]|,\}/);
    }
  });

  it.each(documentNames)('%s leaves comments out, and says where the script is that has them', (name) => {
    for (const step of loadDocument(name).content.mainSteps) {
      const [, pointer = '', ...code] = step.inputs.runCommand;
      const source = /ssm-documents\/scripts\/[a-z-]+\.sh$/.exec(pointer)?.[0] ?? '';

      expect(readFileSync(source, 'utf8')).toContain(`DOCUMENT=${name}`);
      expect(code.filter((line) => /^\s*(#|$)/.test(line))).toEqual([]);
      expect(spawnSync('bash', ['-n'], { input: code.join('\n') }).status).toBe(0);
    }
  });

  it.each(documentNames)('%s is one bash script per step, with a time limit, on Linux', (name) => {
    for (const step of loadDocument(name).content.mainSteps) {
      const { runCommand, timeoutSeconds } = step.inputs;

      expect(runCommand[0]).toBe('#!/usr/bin/env bash');
      expect(runCommand.filter((line) => line.startsWith('#!'))).toHaveLength(1);
      expect(Number(timeoutSeconds)).toBeGreaterThan(0);
      expect(step.precondition).toEqual({ StringEquals: ['platformType', 'Linux'] });
    }
  });

  it.each([
    ['timeoutSeconds: "60"', 'timeoutSeconds: 60', 'mainSteps[0].inputs.timeoutSeconds is the number 60'],
    ['default: full', 'default: true', 'parameters.profile.default is the boolean true'],
    ['default: full', 'maxChars: 80', 'parameters.profile.maxChars is the number 80'],
    ['schemaVersion: "2.2"', 'schemaVersion: 2.2', 'schemaVersion is the number 2.2'],
    ['allowedValues: [quick, full]', 'allowedValues: [quick, 5]', 'profile.allowedValues[1] is the number 5'],
  ])(
    'may hold %j and not %j, which would come back from CloudFormation as a string',
    (text, wrong, error) => {
      const yaml = readFileSync('ssm-documents/collect-evidence.yaml', 'utf8');

      expect(parseContent(yaml, 'it.yaml')).toEqual(loadDocument('collect-evidence').content);
      expect(yaml).toContain(text);
      const read = () => parseContent(yaml.replace(text, wrong), 'it.yaml');
      expect(read).toThrow(error);
      expect(read).toThrow(/^it\.yaml: .*: write it as a string, "/);
    },
  );

  it('gives a document the digest of its content', () => {
    const first = loadDocument('reclaim');

    expect(first.contentDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(first.contentDigest).toBe(digestOf(first.content));
    expect(loadDocument('reclaim').contentDigest).toBe(first.contentDigest);
    expect(loadDocument('reclaim-restore').contentDigest).not.toBe(first.contentDigest);
  });

  it('lets reclaim run longer than its own longest time limit', () => {
    const { content } = loadDocument('reclaim');
    const longest = Math.max(...(content.parameters.maxSeconds?.allowedValues ?? []).map(Number));

    expect(Number(content.mainSteps[0]?.inputs.timeoutSeconds)).toBeGreaterThan(longest + 60);
  });
});
