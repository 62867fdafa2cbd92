import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkVirtualNode } from '../../local/vm/check-virtual-node.ts';

const check = checkVirtualNode();
const why = check.possible ? '' : ` (needs ${check.missing})`;

describe.skipIf(!check.possible)(`a virtual node and the process that started it${why}`, () => {
  it('QEMU ends with a process that is killed', async () => {
    const owner = spawn(process.execPath, ['local/vm/main.ts', 'exec', 'sleep', '600'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      let said = '';
      owner.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      while (!said.includes('booting')) await sleep(100);
      let qemu: string | undefined;
      while (qemu === undefined) {
        await sleep(100);
        qemu = childrenOf(owner.pid).find((pid) => nameOf(pid).startsWith('qemu'));
      }
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      for (let tries = 0; tries < 100 && isRunning(qemu); tries++) await sleep(100);

      expect(isRunning(qemu)).toBe(false);
    } finally {
      owner.kill('SIGKILL');
    }
  });
});

function childrenOf(pid: number | undefined): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}

function nameOf(pid: string): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8');
}

/** Dead and not yet reaped by whoever inherited it is dead. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
