import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type VirtualNodeCheck = { possible: true } | { possible: false; missing: string; instead: string };

/** What a virtual node needs of this host, and the Debian package that brings it. */
const tools: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  setpriv: 'util-linux',
};

/** Whether a virtual node can be had on this host; if not, what is missing and which command works. */
export function checkVirtualNode(): VirtualNodeCheck {
  const instead = 'npm start -- --node v2-zombies';
  const no = (missing: string): VirtualNodeCheck => ({ possible: false, missing, instead });
  if (process.platform !== 'linux')
    return no(`this is ${process.platform}, and its image is made with Linux tools`);
  const absent = Object.keys(tools).filter((tool) => !isInstalled(tool));
  if (absent.length > 0) {
    const packages = absent.map((tool) => tools[tool]).join(' ');
    return no(`${absent.join(', ')} (on Debian: apt-get install ${packages})`);
  }
  if (process.getuid?.() !== 0) return no('root, to make its image');
  return { possible: true };
}

function isInstalled(tool: string): boolean {
  // mke2fs is in a folder that is not in everybody's path.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
