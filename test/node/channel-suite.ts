import { expect, it } from 'vitest';
import type { BootedNode } from './booted-node.ts';

/** Commands and documents in a virtual node behave as they do on a real one. */
export function channelSuite(booted: BootedNode): void {
  it('runs commands with their input, output, environment and exit code', async () => {
    const hostile = `'"$(touch /canary)\n\`é\u0001--`;
    const result = await booted.node.run(['sh', '-c', 'cat; printf %s "$X" >&2; exit 3', hostile], {
      stdin: `${hostile}${'x'.repeat(300_000)}`,
      env: { X: hostile },
    });
    expect(result).toEqual({ code: 3, stdout: `${hostile}${'x'.repeat(300_000)}`, stderr: hostile });
    expect(await booted.sh('ls -d /canary 2>&1 || true')).toContain('No such file');
  });

  it('kills the whole process group of a command whose time is over', async () => {
    const { code } = await booted.node.run(['sh', '-c', 'sleep 4321 & sleep 4321'], { timeoutSeconds: 2 });
    expect(code).toBe(137);
    expect(await booted.sh('pgrep -fx "sleep 4321" || true')).toBe('');
  });

  it('runs documents as the agent does: later steps after a failed one, 137 is a time-out, no login session', async () => {
    const step = (name: string, timeoutSeconds: string, ...runCommand: string[]) => ({
      name,
      inputs: { timeoutSeconds, runCommand },
    });
    const { status, steps } = await booted.node.runDocument({
      content: {
        parameters: { x: { interpolationType: 'ENV_VAR' } },
        mainSteps: [
          step('fails', '30', 'echo "$SSM_x"', 'exit 5'),
          step('hangs', '2', 'sleep 4322'),
          step('works', '30', 'cat /proc/self/cgroup'),
        ],
      },
      parameters: { x: '$(id)' },
    });

    expect(status).toBe('TimedOut');
    expect(steps.map(({ responseCode }) => responseCode)).toEqual([5, 137, 0]);
    expect(steps[0]?.stdout).toBe('$(id)\n');
    expect(steps[2]?.stdout).toContain('/system.slice/cgroup-medic-channel.service');
    expect(await booted.sh('ls -d /tmp/cgroup-medic-agent-* 2>/dev/null || true')).toBe('');
  });
}
