import type { RecipeOffer } from '../../shared/api.ts';
import { AppError } from '../../shared/result.ts';
import { reasonToPretrain } from '../domain/suggestions.ts';
import { presetByName, presets, type Preset } from '../sat/presets.ts';
import type { Recipe } from '../sat/recipes/recipe.ts';
import { recipeByName, recipes } from '../sat/recipes/registry.ts';
import { listClasses } from '../store/class-list.ts';
import type { Database } from '../store/database.ts';
import { readFindingsSummary } from '../store/findings.ts';
import { hasFinishedRun } from '../store/runs.ts';
import { countSamples } from '../store/samples.ts';

/** All recipes; with a project, each says whether it suits that project particularly. */
export function listRecipes(db: Database | null): RecipeOffer[] {
  return recipes.map(({ name, title, sentence, gives }) => ({
    name,
    title,
    sentence,
    gives,
    // What has been done is no longer suggested.
    suggestedBecause: db === null || gives !== 'encoder' || hasFinishedRun(db, name) ? null : reasonFor(db),
  }));
}

/** Throws `AppError` 'invalid-input' with the recipes that there are. */
export function requireRecipe(name: string): Recipe {
  const recipe = recipeByName(name);
  if (recipe === null) throw unknown('recipe', name, recipes);
  return recipe;
}

/** Throws `AppError` 'invalid-input' with the presets that there are. */
export function requirePreset(name: string): Preset {
  const preset = presetByName(name);
  if (preset === null) throw unknown('preset', name, presets);
  return preset;
}

function reasonFor(db: Database): string | null {
  return reasonToPretrain({
    samples: countSamples(db).present,
    classCounts: listClasses(db).flatMap(({ count }) => (count > 0 ? [count] : [])),
    noiseRate: readFindingsSummary(db)?.noiseRate.value ?? null,
  });
}

function unknown(kind: string, name: string, known: readonly { name: string }[]): AppError {
  return new AppError(
    'invalid-input',
    `There is no ${kind} "${name}". Choose one of ${known.map((one) => one.name).join(', ')}.`,
  );
}
