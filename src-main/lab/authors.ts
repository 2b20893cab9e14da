import { authorsDoubleDescent, presetByName, type Preset } from '../sat/presets.ts';
import type { LabPreset } from './experiment.ts';

/** An experiment with the authors' schedule and all images; for a graphics card. Throws when there is no such preset. */
export function authorsPreset(name: string, rest: Partial<LabPreset> = {}): LabPreset {
  const preset = presetByName(name);
  if (preset === null) throw new Error(`There is no preset "${name}".`);
  return { ...fromAuthors(preset), ...rest };
}

/** Settings are those of the widest network; `forWidth` in experiments/double-descent.ts gives the others'. */
export function authorsDoubleDescentPreset(fullWidth: number, rest: Partial<LabPreset>): LabPreset {
  return { ...fromAuthors(authorsDoubleDescent(fullWidth)), name: 'authors-double-descent', ...rest };
}

/** As the authors' own tables: every image, three seeds. */
function fromAuthors({ name, source, settings }: Preset): LabPreset {
  return {
    name,
    source,
    settings,
    samples: null,
    testSamples: null,
    seeds: [1, 2, 3],
    recipes: [],
    noise: null,
    widths: [],
    evaluateEvery: 5,
    evaluationAttack: null,
  };
}
