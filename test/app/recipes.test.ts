import { expect, it } from 'vitest';
import { listRecipes } from '../../src-main/app/recipes.ts';
import { createRun, setRunStatus } from '../../src-main/store/runs.ts';
import { plan, projectWith } from '../store/fixtures.ts';

/** Names of the recipes that are suggested, with the reason. */
function suggestions(db: Parameters<typeof listRecipes>[0]): Record<string, string> {
  return Object.fromEntries(
    listRecipes(db).flatMap(({ name, suggestedBecause }) =>
      suggestedBecause === null ? [] : [[name, suggestedBecause]],
    ),
  );
}

it('offers every recipe, the usual one first, and suggests none without a reason', () => {
  expect(listRecipes(null)[0]?.name).toBe('sat');
  expect(suggestions(null)).toEqual({});
  expect(suggestions(projectWith(['cat/1.jpg', 'dog/1.jpg']))).toEqual({});
});

it('suggests the images first where classes have few labels, until that was done', () => {
  const db = projectWith(Array.from({ length: 2000 }, (_, i) => `kind ${i % 100}/${i}.jpg`));
  expect(suggestions(db)).toEqual({ pretrain: expect.stringMatching(/2,000 images.*has 20 of them/) });
  const runId = createRun(db, {
    plan: { ...plan, recipe: 'pretrain' },
    classIds: [],
    samples: { ids: new Uint32Array(), classIds: new Uint32Array() },
    startedAt: '2026',
  });
  setRunStatus(db, { runId, status: 'cancelled' });
  expect(suggestions(db)).toHaveProperty('pretrain');
  setRunStatus(db, { runId, status: 'done' });
  expect(suggestions(db)).toEqual({});
});
