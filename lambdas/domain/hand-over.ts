import type { RungResult } from './incident-state.ts';
import { quoted, standingChanges } from './standing-changes.ts';

type LastingFile = { path: string; text: string };
/** What a standing change is made of, and the service that it stops, if it stops one. */
type Lasting = { files: LastingFile[]; stop?: string; notCovered?: string };

/** What systemd takes as the name of a service, and a shell as one word between quotes. */
const serviceName = /^[A-Za-z0-9:_.@\\-]{1,200}\.service$/;
const end = 'END_OF_CGROUP_MEDIC';

/**
 * What makes the standing changes of an incident last: they are on one node, and the next one comes without. For people, with
 * a script for each that has the same effect on a node that starts.
 *
 * @param incident names the files that it writes, as the documents do
 */
export function handOver(results: readonly RungResult[], incident: string): string[] {
  const standing = standingChanges(results).map(({ treatment }) => treatment);
  return results.flatMap((result) => {
    if (!standing.includes(result.treatment)) return [];
    const lasting = lastingOf(result, incident);
    return lasting === undefined ? [] : [sentence(result.treatment), scriptOf(lasting)];
  });
}

function sentence(treatment: string): string {
  return `The next node comes without what ${treatment} has changed. Where nodes are to have it from their first boot, put this into the user data of their launch template (for EKS a part of its own, of the type text/x-shellscript, in the MIME archive), or have a State Manager association run it on new nodes (AWS-RunShellScript):`;
}

/** The script for one result, without the words around it; `undefined` where nothing of it stays, or it is not known enough. */
export function lastingScript(result: RungResult, incident: string): string | undefined {
  const lasting = lastingOf(result, incident);
  return lasting === undefined ? undefined : scriptOf(lasting);
}

function scriptOf({ files, stop, notCovered }: Lasting): string {
  const reload = [
    'systemctl daemon-reload',
    ...(stop === undefined ? [] : [`systemctl stop -- ${quoted(stop)}`]),
  ];
  return [
    '#!/bin/bash',
    ...(notCovered === undefined ? [] : [`# ${notCovered}`]),
    'set -o errexit -o nounset -o pipefail',
    `put() { mkdir -p "$(dirname "\${ROOT:-}$1")" && cat >"\${ROOT:-}$1"; }`,
    ...files.map(({ path, text }) => `put ${quoted(path)} <<'${end}'\n${text}\n${end}`),
    `if [[ -z "\${ROOT:-}" ]]; then ${reload.join(' && ')}; fi`,
  ].join('\n');
}

function lastingOf({ treatment, result }: RungResult, incident: string): Lasting | undefined {
  const dropIn = (unit: string, purpose: string, body: string): LastingFile => ({
    path: `/etc/systemd/system/${unit}.d/50-cgroup-medic-${purpose}.conf`,
    text: `# Written by cgroup-medic for incident ${incident}. Its undo removes it; so may you, then: systemctl daemon-reload\n${body}`,
  });
  const withoutMemory = '[Slice]\nDisableControllers=memory';
  if (treatment === 'contain-sessions') return { files: [dropIn('user.slice', 'no-memory', withoutMemory)] };
  const unit = String(result?.details?.unit ?? '');
  if (!serviceName.test(unit)) return undefined;
  switch (treatment) {
    case 'disable-agent': {
      // systemd takes a backslash for an escape.
      const marker = `/etc/cgroup-medic/disabled-${unit.replaceAll('\\', '_')}`;
      const triggers = Number(result?.before.triggers ?? 0);
      return {
        files: [
          {
            path: marker,
            text: `${unit} does not start while this file is there. Written by cgroup-medic; enable-agent removes it.`,
          },
          dropIn(unit, 'disabled', `[Unit]\nConditionPathExists=!${marker}`),
        ],
        stop: unit,
        ...(triggers > 0
          ? {
              notCovered: `Sockets or paths that start ${unit} (${triggers}) need the same condition; this has none for them.`,
            }
          : {}),
      };
    }
    case 'contain-unit': {
      const parent = String(result?.before.slice ?? '');
      if (!/^[A-Za-z0-9:_.\\-]{1,200}\.slice$/.test(parent)) return undefined;
      const own = ownSlice(unit, parent);
      return {
        files: [dropIn(own, 'no-memory', withoutMemory), dropIn(unit, 'slice', `[Service]\nSlice=${own}`)],
      };
    }
    default:
      return undefined;
  }
}

/** As the document names it: in the name of a slice, dashes are levels. */
function ownSlice(unit: string, parent: string): string {
  const name = unit
    .replace(/\.service$/, '')
    .replaceAll('\\', String.raw`\x5c`)
    .replaceAll('-', String.raw`\x2d`)
    .replaceAll('@', String.raw`\x40`);
  const above = parent === '-.slice' ? '' : `${parent.replace(/\.slice$/, '')}-`;
  return `${above}cgroupmedic_${name}.slice`;
}
