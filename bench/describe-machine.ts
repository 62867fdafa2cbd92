import { globSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

/** The machine that was measured, in a line, with what there may take page cache away besides what is measured. */
export function describeMachine(): string {
  const machine = `kernel ${release()}, ${cpus().length} CPUs (${cpus()[0]?.model.trim()})`;
  return evictsColdPages()
    ? `${machine}; DAMON pages out here what has not been used for a while, with or without a cure`
    : machine;
}

/** A platform can have cold page cache evicted all the time. */
function evictsColdPages(): boolean {
  return globSync('/sys/kernel/mm/damon/admin/kdamonds/*/state').some((state) => {
    const actions = globSync(state.replace(/state$/, 'contexts/*/schemes/*/action'));
    return readText(state) === 'on' && actions.some((action) => readText(action) === 'pageout');
  });
}

/** Empty where only root may read it. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
