import { describe, expect, it } from 'vitest';
import { budgets } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { planTraining, type PlanInput } from '../../src-main/domain/plan.ts';
import { networks } from '../../src-main/sat/models/networks.ts';
import { presetByName, presets } from '../../src-main/sat/presets.ts';
import { recipeByName, recipes } from '../../src-main/sat/recipes/registry.ts';

const nothingSet: PlanInput['overrides'] = { epochs: null, startEpoch: null, targetMomentum: null };
const base: PlanInput = {
  engine: 'tensorflow',
  gflops: 60,
  budget: 'balanced',
  seed: 1,
  samples: 12_000,
  classes: 10,
  medianSide: 32,
  recipe: recipe('sat'),
  preset: null,
  overrides: nothingSet,
  startFrom: null,
  gflopPerImage: (network, width, resolution) => networks[network].gflop(width, resolution),
};

function recipe(name: string) {
  const found = recipeByName(name);
  if (found === null) throw new Error(`No recipe ${name}`);
  return found;
}

function errorOf(input: Partial<PlanInput>): AppError {
  try {
    planTraining({ ...base, ...input });
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error('It was planned.');
}

it('keeps the balanced run of 12,000 small pictures within its time', () => {
  const plan = planTraining(base);
  expect(plan).toMatchObject({ recipe: 'sat', network: 'compact', resolution: 32, batchSize: 128, attack: null });
  expect(plan.epochs).toBeGreaterThanOrEqual(18);
  expect(plan.expectedSeconds).toBeLessThan(20 * 60);
});

it('gives α below the authors’ 0.9 only where the run is too short for it', () => {
  const plan = planTraining({ ...base, budget: 'quick' });
  const updates = plan.epochs - plan.startEpoch;
  expect(plan.targetMomentum ** updates).toBeLessThanOrEqual(0.1001);
  expect(planTraining({ ...base, budget: 'thorough' }).targetMomentum).toBe(0.9);
});

it('takes more pixels where the pictures have them and the time allows', () => {
  const photos = planTraining({ ...base, samples: 3000, medianSide: 400 });
  expect(photos.resolution).toBeGreaterThan(32);
  const slow = planTraining({ ...base, samples: 3000, medianSide: 400, gflops: 2 });
  expect(slow.resolution).toBeLessThanOrEqual(photos.resolution);
});

it.each(recipes.map(({ name }) => name))('plans %s so that it can be run for any size and speed', (name) => {
  const traits = recipe(name);
  for (const budget of budgets) {
    for (const samples of [2, 40, 900, 50_000, 1_000_000]) {
      for (const [gflops, classes] of [
        [1, 2],
        [60, 10],
        [5000, 1000],
      ] as const) {
        const plan = planTraining({ ...base, recipe: traits, budget, samples, gflops, classes });
        expect(plan.epochs).toBeGreaterThanOrEqual(1);
        expect(plan.startEpoch).toBeLessThanOrEqual(traits.movesTargets ? plan.epochs - 1 : plan.epochs);
        expect(plan.targetMomentum).toBeGreaterThan(0);
        expect(plan.targetMomentum).toBeLessThanOrEqual(0.9);
        expect(plan.expectedSeconds).toBeGreaterThan(0);
        expect(plan.reasons.join(' ')).not.toMatch(/NaN|undefined|null/);
      }
    }
  }
});

describe('recipes', () => {
  it('leave the labels as they are throughout the baseline', () => {
    const plan = planTraining({ ...base, recipe: recipe('cross-entropy') });
    expect(plan.startEpoch).toBe(plan.epochs);
    expect(plan.reasons.join(' ')).toContain('taken as given in every pass');
  });

  it('learn from the images alone with strong views and no labels', () => {
    const plan = planTraining({ ...base, recipe: recipe('pretrain') });
    expect(plan).toMatchObject({ startEpoch: 0, targetMomentum: 0.7, augmentation: 'views' });
    expect(plan.reasons.join(' ')).toContain('No label is used');
  });

  it('pay for an attack with passes or size, and say so', () => {
    const plan = planTraining({ ...base, recipe: recipe('robust') });
    const sat = planTraining(base);
    expect(plan.attack).toEqual({ radius: 0.031, stepSize: 0.014, steps: 5 });
    expect(plan.epochs * plan.gflopPerImage).toBeLessThan(sat.epochs * sat.gflopPerImage);
    expect(plan.expectedSeconds).toBeGreaterThan(
      3 * 7 * plan.samples * (plan.gflopPerImage / base.gflops) * plan.epochs,
    );
    expect(plan.reasons.join(' ')).toContain('about 7 times as dear');
  });
});

describe('a preset', () => {
  it.each(presets)('$name takes the place of the budget', (preset) => {
    const plan = planTraining({ ...base, recipe: recipe(preset.settings.recipe), preset });
    expect(plan).toMatchObject({ ...preset.settings, preset: preset.name, classes: base.classes });
    expect(plan.reasons[0]).toContain(preset.title);
  });

  it('says honestly how long it takes here', () => {
    const preset = presetByName('authors-cifar10');
    const plan = planTraining({ ...base, preset, samples: 50_000 });
    const hours = plan.expectedSeconds / 3600;
    expect(hours).toBeGreaterThan(300);
    expect(plan.reasons.join(' ')).toContain(`${Math.round(hours).toLocaleString('en')} hours`);
    expect(plan.reasons.join(' ')).toContain('meant for a GPU');
  });

  it('serves the baseline with the same numbers, and refuses what it is not made for', () => {
    const preset = presetByName('authors-cifar10');
    expect(planTraining({ ...base, recipe: recipe('cross-entropy'), preset })).toMatchObject({
      network: 'resnet34',
      epochs: 200,
      startEpoch: 200,
    });
    for (const name of ['pretrain', 'robust']) {
      expect(errorOf({ recipe: recipe(name), preset })).toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining('made for the recipe sat'),
      });
    }
  });
});

describe('a run that starts from another', () => {
  const startFrom = { runId: 3, recipe: recipe('pretrain'), network: 'compact', width: 16, resolution: 48 } as const;

  it('has its network and input', () => {
    const plan = planTraining({ ...base, startFrom });
    expect(plan).toMatchObject({ startFrom: 3, network: 'compact', width: 16, resolution: 48 });
    expect(plan.reasons[0]).toContain('as run 3');
  });

  it('does not take a preset of another network', () => {
    expect(errorOf({ startFrom, preset: presetByName('authors-cifar10') }).message).toMatch(
      /resnet34 of width 64 at 32 pixels; run 3 has compact of width 16 at 48 pixels/,
    );
  });

  it('has a recipe that is given pixels in the same form', () => {
    expect(errorOf({ startFrom, recipe: recipe('robust') })).toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/robust learns from pixels as they are.*recipe pretrain knows only standardised/),
    });
    const robust = { ...startFrom, recipe: recipe('robust') };
    expect(errorOf({ startFrom: robust }).message).toMatch(/sat learns from standardised.*robust knows only pixels as/);
    expect(planTraining({ ...base, startFrom: robust, recipe: recipe('robust') }).startFrom).toBe(3);
  });
});

describe('numbers set by hand', () => {
  const overrides = (numbers: Partial<PlanInput['overrides']>) => ({ overrides: { ...nothingSet, ...numbers } });

  it('come before the plan’s', () => {
    const numbers = { epochs: 7, startEpoch: 0, targetMomentum: 0.5 };
    expect(planTraining({ ...base, overrides: numbers })).toMatchObject(numbers);
    expect(planTraining({ ...base, ...overrides({ epochs: 1 }) })).toMatchObject({ epochs: 1, startEpoch: 0 });
  });

  it.each([
    [{ targetMomentum: 0 }, /α.* cannot be 0\. .*between 0 and 1/],
    [{ targetMomentum: 1 }, /α.* cannot be 1\./],
    [{ targetMomentum: -0.1 }, /cannot be -0\.1/],
    [{ targetMomentum: NaN }, /cannot be NaN/],
    [{ epochs: 0 }, /cannot have 0 epochs\. Set a whole number from 1/],
    [{ epochs: 2.5 }, /cannot have 2\.5 epochs/],
    [{ epochs: NaN }, /cannot have NaN epochs/],
    [{ epochs: Infinity }, /cannot have Infinity epochs/],
    [{ startEpoch: -1 }, /E_s.*cannot be -1/],
    [{ startEpoch: 1.5 }, /cannot be 1\.5/],
    [{ epochs: 5, startEpoch: 5 }, /never adapt.*, 5 .*run of 5 epochs\. Set it from 0 to 4/],
    [{ epochs: 1, startEpoch: 9 }, /run of 1 epoch\./],
  ])('are refused where they make no sense: %j', (numbers, message) => {
    expect(errorOf(overrides(numbers))).toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(message),
    });
  });

  it('are refused where the recipe or the preset leaves no room for them', () => {
    expect(errorOf({ recipe: recipe('cross-entropy'), ...overrides({ startEpoch: 3 }) }).message).toContain(
      'never adapts its targets',
    );
    expect(errorOf({ recipe: recipe('pretrain'), ...overrides({ startEpoch: 3 }) }).message).toContain(
      'from the very first epoch',
    );
    expect(errorOf({ preset: presetByName('authors-cifar10'), ...overrides({ epochs: 60 }) }).message).toContain(
      'of the preset authors-cifar10, 60 (',
    );
  });
});
