import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkVirtualNode } from '../../../local/vm/check-virtual-node.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe.skipIf(process.platform !== 'linux')('what a virtual node needs (Linux)', () => {
  it('names the tools that are missing, the packages that have them, and a command that works', () => {
    vi.stubEnv('PATH', '/nowhere');
    const check = checkVirtualNode();
    expect(check).toMatchObject({
      possible: false,
      missing: expect.stringMatching(/qemu-system-x86_64.*apt-get install.*qemu-system-x86/),
      instead: 'npm start -- --node v2-zombies',
    });
  });

  it('needs root', () => {
    if (!checkVirtualNode().possible) return;
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    expect(checkVirtualNode()).toMatchObject({ possible: false, missing: expect.stringContaining('root') });
  });
});
