import { expect, it } from 'vitest';
import { budgets } from '../../shared/domain.ts';
import { planTraining, type PlanInput } from '../../src-main/domain/plan.ts';
import { compactGflop } from '../../src-main/sat/models/compact.ts';

const base: PlanInput = {
  engine: 'tensorflow',
  gflops: 60,
  budget: 'balanced',
  seed: 1,
  samples: 12_000,
  classes: 10,
  medianSide: 32,
  gflopPerImage: compactGflop,
};

it('keeps the balanced run of 12,000 small pictures within its time', () => {
  const plan = planTraining(base);
  expect(plan).toMatchObject({ resolution: 32, batchSize: 128 });
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

it('plans something that can be run for any size and speed', () => {
  for (const budget of budgets) {
    for (const samples of [2, 40, 900, 50_000, 1_000_000]) {
      for (const gflops of [1, 60, 5000]) {
        const plan = planTraining({ ...base, budget, samples, gflops });
        expect(plan.startEpoch).toBeGreaterThanOrEqual(1);
        expect(plan.epochs).toBeGreaterThan(plan.startEpoch);
        expect(plan.targetMomentum).toBeGreaterThan(0);
        expect(plan.targetMomentum).toBeLessThanOrEqual(0.9);
        expect(plan.expectedSeconds).toBeGreaterThan(0);
      }
    }
  }
});
