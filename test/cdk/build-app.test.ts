// First, for its bundles, which are none: what is loaded before it has the real ones.
import './template.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../cdk/build-app.ts';

// A whole validation, with other test files on the same cores.
vi.setConfig({ testTimeout: 240_000 });

let outdir: string;
beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), 'cgroup-medic-test-'));
});
afterEach(() => rmSync(outdir, { recursive: true }));

/** Synthesizes the app with a queue that CloudFormation does not take. */
function synthesizeBroken(options: { validated?: boolean }) {
  const app = buildApp({ outdir, ...options });
  new CfnQueue(app.node.findChild('CgroupMedic') as Stack, 'Broken', { visibilityTimeout: 43_201 });
  return app.synth().getStackByName('CgroupMedic').template;
}

describe('the app', () => {
  it('is held against the rules of CloudFormation unless somebody says otherwise', () => {
    expect(() => synthesizeBroken({})).toThrow(/VisibilityTimeout/);
  });

  it('goes without them where it is told to', () => {
    expect(synthesizeBroken({ validated: false }).Resources).toHaveProperty(
      'Broken.Properties.VisibilityTimeout',
      43_201,
    );
  });
});
