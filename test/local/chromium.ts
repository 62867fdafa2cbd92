import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** The Chromium of the machine: none is downloaded. In a container, and as root, it has no sandbox of its own. */
export function launchChromium(): Promise<Browser> {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
