import type { TrainingRequest } from '../../../shared/api.ts';
import { presetByName } from '../../sat/presets.ts';

/** Options of a run as they are given on the command line; what is left out is the plan's to choose. */
export interface RequestOptions extends Pick<TrainingRequest, 'budget' | 'engine' | 'seed'> {
  recipe?: string;
  startFrom?: number;
  preset?: string;
  epochs?: number;
  startEpoch?: number;
  targetMomentum?: number;
}

const usualRecipe = 'sat';

export function requestOf(options: RequestOptions): TrainingRequest {
  const { budget, engine, seed, recipe, startFrom, preset, epochs, startEpoch, targetMomentum } = options;
  return {
    budget,
    engine,
    seed,
    recipe: recipe ?? presetByName(preset ?? '')?.settings.recipe ?? usualRecipe,
    startFrom: startFrom ?? null,
    preset: preset ?? null,
    overrides: {
      epochs: epochs ?? null,
      startEpoch: startEpoch ?? null,
      targetMomentum: targetMomentum ?? null,
    },
  };
}
