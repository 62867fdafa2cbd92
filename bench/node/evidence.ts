import { countDying } from '../../local/node/memory-hierarchy-v1.ts';
import { evidenceColumns, evidenceRows, measureEvidence, withLiveCgroups } from '../evidence-against-find.ts';
import { number, type Table } from '../table.ts';
import { makeZombies } from '../zombies.ts';
import type { Context, Part } from './part.ts';

/** A walk over the living may cost so much more CPU beside the dying; the rest is the noise of two runs. */
const mostBesideZombies = 1.25;

/** What it costs to look, on cgroup v1, where a look is a walk over all cgroups that live. */
export const evidence: Part = {
  about: 'collect-evidence on 20,000 live cgroups against find, Python and cat; without and with dying ones',
  where: 'host',
  measure,
};

async function measure(context: Context): Promise<Table> {
  const { rounds, zombies, liveDirectories } = context.sizes;
  return withLiveCgroups(context, async () => {
    const dying = [countDying()];
    const without = await measureEvidence(rounds, context, true);
    dying.push(countDying());
    const leak = await makeZombies(zombies, context, 2);
    try {
      dying.push(countDying());
      const beside = await measureEvidence(rounds, context, true);
      dying.push(countDying());
      const growth = (profile: 'quick' | 'full') => beside[profile].cpu / without[profile].cpu;
      return {
        title: `Evidence on cgroup v1 with ${number(liveDirectories)} live cgroups, medians of ${rounds}`,
        columns: evidenceColumns(without),
        rows: [
          {
            what: 'dying cgroups of the host: first to last look without them; with them',
            figures: [
              `${number(dying[0] ?? 0)} to ${number(dying[1] ?? 0)}; ${number(dying[2] ?? 0)} to ${number(dying[3] ?? 0)}`,
            ],
          },
          ...evidenceRows(without, ', no dying cgroups'),
          ...evidenceRows(beside, `, ${number(zombies)} dying`),
          ...(['quick', 'full'] as const).map((profile) => ({
            what: `${profile}: CPU seconds beside them, times those without`,
            figures: [
              number(growth(profile), 2),
              number(beside.find.cpu / without.find.cpu, 2),
              ...beside.others.map(({ cost }, index) =>
                number(cost.cpu / (without.others[index]?.cost.cpu ?? Number.NaN), 2),
              ),
            ],
            bar: {
              text: `at most ${mostBesideZombies}`,
              met: growth(profile) <= mostBesideZombies,
            },
          })),
        ],
      };
    } finally {
      await leak.remove();
    }
  });
}
