import { describe, expect, it } from 'vitest';
import { networks } from '../../src-main/sat/models/networks.ts';
import { authorsDoubleDescent, presetByName, presets } from '../../src-main/sat/presets.ts';
import { recipeByName } from '../../src-main/sat/recipes/registry.ts';
import { learningRateFactor } from '../../src-main/sat/schedules.ts';

const everyPreset = [...presets, ...[1, 10, 64].map(authorsDoubleDescent)];

describe("the authors' presets", () => {
  it('are found by name, and no other is', () => {
    expect(presets.map(({ name }) => name)).toEqual([
      'authors-cifar10',
      'authors-cifar10-wrn',
      'authors-cifar100',
      'authors-cifar10-no-augmentation',
      'authors-selective-cifar10',
      'authors-selective-svhn',
      'authors-selective-cats-dogs',
      'authors-trades-cifar10',
    ]);
    for (const preset of presets) expect(presetByName(preset.name)).toBe(preset);
    expect(presetByName('authors')).toBeNull();
  });

  it.for(everyPreset)('$name can run: a network of its usual width, a recipe, targets that move in time', (preset) => {
    const { network, width, resolution, recipe, startEpoch, epochs, targetMomentum, attack } = preset.settings;
    const { usualWidth, gflop } = networks[network];
    if (!preset.name.startsWith('authors-double-descent')) expect(width).toBe(usualWidth);
    expect(gflop(width, resolution)).toBeGreaterThan(0);
    expect(recipeByName(recipe)).not.toBeNull();
    expect(startEpoch).toBeLessThan(epochs);
    expect(targetMomentum).toBeGreaterThan(0);
    expect(targetMomentum).toBeLessThan(1);
    expect(attack !== null).toBe(recipe === 'robust');
  });

  it('have the published numbers', () => {
    const short = everyPreset.map(({ name, settings: s }) =>
      [
        name,
        `${s.recipe} ${s.network} ${s.width} ${s.resolution}px ${s.augmentation}`,
        `${s.epochs} epochs of ${s.batchSize}, E_s ${s.startEpoch}, α ${s.targetMomentum.toFixed(4)}`,
        `${s.optimizer} ${s.learningRate} ${s.schedule.kind} decay ${s.weightDecay}`,
      ].join(', '),
    );
    expect(short).toEqual([
      'authors-cifar10, sat resnet34 64 32px crop-flip, 200 epochs of 256, E_s 60, α 0.9000, sgd 0.1 cosine decay 0.0005',
      'authors-cifar10-wrn, sat wrn-28-10 16 32px crop-flip, 200 epochs of 256, E_s 60, α 0.9000, sgd 0.1 cosine decay 0.0005',
      'authors-cifar100, sat resnet34 64 32px crop-flip, 200 epochs of 256, E_s 60, α 0.9000, sgd 0.1 cosine decay 0.0005',
      'authors-cifar10-no-augmentation, sat resnet34 64 32px none, 200 epochs of 256, E_s 25, α 0.7000, sgd 0.1 cosine decay 0.0005',
      'authors-selective-cifar10, selective vgg16-bn 64 32px crop-flip, 300 epochs of 128, E_s 150, α 0.9000, sgd 0.1 steps decay 0.0005',
      'authors-selective-svhn, selective vgg16-bn 64 32px crop, 300 epochs of 128, E_s 0, α 0.9000, sgd 0.1 steps decay 0.0005',
      'authors-selective-cats-dogs, selective vgg16-bn 64 64px crop-flip, 300 epochs of 128, E_s 0, α 0.9000, sgd 0.1 steps decay 0.0005',
      'authors-trades-cifar10, robust wrn-34-10 16 32px crop-flip, 100 epochs of 128, E_s 69, α 0.9000, sgd 0.1 steps decay 0.0002',
      'authors-double-descent-1, sat resnet18 1 32px crop-flip, 4000 epochs of 128, E_s 2560, α 0.9984, adam 0.0001 constant decay 0',
      'authors-double-descent-10, sat resnet18 10 32px crop-flip, 4000 epochs of 128, E_s 256, α 0.9837, adam 0.0001 constant decay 0',
      'authors-double-descent-64, sat resnet18 64 32px crop-flip, 4000 epochs of 128, E_s 40, α 0.9000, adam 0.0001 constant decay 0',
    ]);
  });

  it('lower the learning rate at the published epochs', () => {
    const rateAt = (name: string, epoch: number): number => {
      const { schedule, epochs, learningRate } = presetByName(name)!.settings;
      return learningRate * learningRateFactor(schedule, epoch, epochs);
    };
    expect([0, 24, 25, 275, 299].map((epoch) => rateAt('authors-selective-cifar10', epoch))).toEqual(
      [0, 0, 1, 11, 11].map((halvings) => expect.closeTo(0.1 / 2 ** halvings, 10) as number),
    );
    // The 75th, 90th and 100th epoch.
    expect([73, 74, 88, 89, 98, 99].map((epoch) => rateAt('authors-trades-cifar10', epoch))).toEqual(
      [0.1, 0.01, 0.01, 0.001, 0.001, 0.0001].map((rate) => expect.closeTo(rate, 10) as number),
    );
  });

  it('attack TRADES as published', () => {
    const { attack } = presetByName('authors-trades-cifar10')!.settings;
    expect(attack).toEqual({ radius: 0.031, stepSize: 0.007, steps: 10 });
  });

  it('give double descent the start epoch that the authors compute, rounded down', () => {
    // Theirs is int(40 · (64 / width)) in floating point.
    for (let width = 1; width <= 64; width++) {
      expect(authorsDoubleDescent(width).settings.startEpoch).toBe(Math.trunc(40 * (64 / width)));
    }
  });
});
