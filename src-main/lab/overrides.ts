import { AppError } from '../../shared/result.ts';
import { recipeByName } from '../sat/recipes/registry.ts';
import type { LabOverrides, LabPreset } from './experiment.ts';

/**
 * The preset with what was set by hand. With another number of epochs and no E_s, E_s and the steps of the learning rate keep
 * their place relative to the run's length. Throws `AppError` 'invalid-input' that names the option.
 */
export function applyOverrides(preset: LabPreset, overrides: LabOverrides): LabPreset {
  const { settings } = preset;
  const epochs = overrides.epochs ?? settings.epochs;
  const rescaled = (epoch: number): number => Math.round((epoch * epochs) / settings.epochs);
  const { schedule } = settings;
  const changed: LabPreset = {
    ...preset,
    seeds: overrides.seeds ?? preset.seeds,
    recipes: overrides.recipes ?? preset.recipes,
    widths: overrides.widths ?? preset.widths,
    samples: overrides.samples ?? preset.samples,
    testSamples: overrides.testSamples ?? preset.testSamples,
    noise: preset.noise && {
      kind: overrides.kind ?? preset.noise.kind,
      rates: overrides.rates ?? preset.noise.rates,
      confusion: overrides.confusion ?? preset.noise.confusion,
    },
    settings: {
      ...settings,
      epochs,
      startEpoch: overrides.startEpoch ?? rescaled(settings.startEpoch),
      schedule: schedule.kind === 'steps' ? { ...schedule, epochs: schedule.epochs.map(rescaled) } : schedule,
      targetMomentum: overrides.targetMomentum ?? settings.targetMomentum,
      learningRate: overrides.learningRate ?? settings.learningRate,
      network: overrides.network ?? settings.network,
      width: overrides.width ?? settings.width,
    },
  };
  refuseIf(
    overrides.confusion !== null && changed.noise?.kind !== 'asymmetric',
    '--confusion is for asymmetric noise; add --kind asymmetric, or leave it out.',
  );
  assertSensible(changed);
  return changed;
}

function assertSensible({ seeds, recipes, widths, noise, settings }: LabPreset): void {
  const { startEpoch, epochs, targetMomentum, learningRate } = settings;
  const rates = noise?.rates ?? [];
  for (const [option, list] of Object.entries({ seeds, recipes, widths, rates })) {
    const repeated = list.find((value, index) => list.indexOf(value as never) !== index);
    refuseIf(repeated !== undefined, `--${option} names ${repeated} twice; name every value once.`);
  }
  refuseIf(
    rates.some((rate) => !(rate > 0 && rate <= 1)),
    `--rates are shares from above 0 to 1, such as 0.2,0.4; they were ${rates.join(',')}.`,
  );
  refuseIf(
    startEpoch >= epochs,
    `--start-epoch is ${startEpoch}, but the run has ${epochs} epochs (counted from 0), so targets would never adapt. Choose an earlier one.`,
  );
  refuseIf(
    !(targetMomentum > 0 && targetMomentum < 1),
    `--target-momentum (α) must lie between 0 and 1; it was ${targetMomentum}.`,
  );
  refuseIf(!(learningRate > 0), `--learning-rate must be above 0; it was ${learningRate}.`);
  for (const name of recipes) {
    const recipe = recipeByName(name);
    refuseIf(recipe === null, `There is no recipe "${name}".`);
    refuseIf(
      recipe?.usesLabels === false,
      `The recipe "${name}" learns no labels, so label noise cannot disturb it; leave it out of --recipes.`,
    );
    refuseIf(
      name === 'robust' && settings.attack === null,
      'The recipe "robust" trains against an attack and has its own experiment: winnow lab robust.',
    );
  }
}

function refuseIf(isWrong: boolean, message: string): void {
  if (isWrong) throw new AppError('invalid-input', message);
}
