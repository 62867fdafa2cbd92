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
    const without = await measureEvidence(rounds, context, true);
    const leak = await makeZombies(zombies, context, 2);
    try {
      const beside = await measureEvidence(rounds, context, true);
      const growth = (profile: 'quick' | 'full') => beside[profile].cpu / without[profile].cpu;
      return {
        title: `Evidence on cgroup v1 with ${number(liveDirectories)} live cgroups, medians of ${rounds}`,
        columns: evidenceColumns(without),
        rows: [
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
