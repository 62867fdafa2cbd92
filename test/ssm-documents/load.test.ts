import { describe, expect, it } from 'vitest';
import { digestOf } from '../../lambdas/domain/canonical-json.ts';
import { documentNames, loadDocument } from '../../ssm-documents/load.ts';

/** The service's limit is 64 KB with parameters; the rest is room for its own envelope. */
const limit = 48 * 1000;

describe('the documents', () => {
  it('are these', () => {
    expect(documentNames).toEqual(['collect-evidence', 'reclaim', 'reclaim-restore']);
  });

  it('names the documents there are when asked for another', () => {
    expect(() => loadDocument('reboot')).toThrow(
      'unknown document "reboot": use one of collect-evidence, reclaim',
    );
  });

  it.each(documentNames)('%s stays under the size limit with its largest parameters', (name) => {
    const { content } = loadDocument(name);

    const parameters = Object.values(content.parameters).reduce(
      (sum, { allowedValues, maxChars }) =>
        sum + (maxChars ?? Math.max(...(allowedValues ?? []).map((value) => value.length))),
      0,
    );

    expect(parameters).toBeGreaterThan(0);
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
      if (rule.allowedPattern) expect(rule.maxChars).toBeGreaterThan(0);
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
