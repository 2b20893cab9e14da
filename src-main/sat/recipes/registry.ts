import { crossEntropyBaseline } from './cross-entropy.ts';
import { pretrain } from './pretrain.ts';
import type { Recipe } from './recipe.ts';
import { robust } from './robust.ts';
import { satSymmetric } from './sat-symmetric.ts';
import { sat } from './sat.ts';
import { selective } from './selective.ts';

/** All recipes, the usual one first. */
export const recipes: readonly Recipe[] = [sat, satSymmetric, selective, pretrain, robust, crossEntropyBaseline];

export function recipeByName(name: string): Recipe | null {
  return recipes.find((recipe) => recipe.name === name) ?? null;
}
