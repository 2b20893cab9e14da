import type { TrainingSettings } from '../../shared/domain.ts';
import { networks } from './models/networks.ts';

/*
 * The authors' schedules, number by number. "SAT" below is their github.com/LayneH/self-adaptive-training, "selective" their
 * github.com/LayneH/SAT-selective-cls; each `source` names the file that a preset was read from, and what of it we do not do.
 * All standardise their pixels but the adversarial ones, as the recipes here do.
 */

export interface Preset {
  name: string;
  title: string;
  /** One plain sentence: what it reproduces. */
  sentence: string;
  /** Where the numbers come from, and what differs from it. */
  source: string;
  settings: PresetSettings;
}

type PresetSettings = Omit<TrainingSettings, 'engine' | 'seed' | 'classes'>;

/** SAT, scripts/cifar10/run_sat.sh with the defaults of main.py. */
const labelNoise: PresetSettings = {
  recipe: 'sat',
  network: 'resnet34',
  width: networks.resnet34.usualWidth,
  resolution: 32,
  epochs: 200,
  startEpoch: 60,
  targetMomentum: 0.9,
  batchSize: 256,
  optimizer: 'sgd',
  learningRate: 0.1,
  schedule: { kind: 'cosine' },
  weightDecay: 5e-4,
  augmentation: 'crop-flip',
  attack: null,
};

/** Selective, run_cifar10.sh with the defaults of train.py. */
const selective: PresetSettings = {
  recipe: 'selective',
  network: 'vgg16-bn',
  width: networks['vgg16-bn'].usualWidth,
  resolution: 32,
  epochs: 300,
  startEpoch: 150,
  targetMomentum: 0.9,
  batchSize: 128,
  optimizer: 'sgd',
  learningRate: 0.1,
  schedule: { kind: 'steps', factor: 0.5, epochs: [25, 50, 75, 100, 125, 150, 175, 200, 225, 250, 275] },
  weightDecay: 5e-4,
  augmentation: 'crop-flip',
  attack: null,
};

export const presets: readonly Preset[] = [
  {
    name: 'authors-cifar10',
    title: 'CIFAR-10, ResNet-34',
    sentence: 'The published training on CIFAR-10 with wrong labels.',
    source: 'SAT, scripts/cifar10/run_sat.sh',
    settings: labelNoise,
  },
  {
    name: 'authors-cifar10-wrn',
    title: 'CIFAR-10, WRN-28-10',
    sentence: 'The published training on CIFAR-10 with wrong labels, with the wider network.',
    source:
      "The schedule of ResNet-34: the paper states one for its networks, and the authors' code has neither a script nor the network " +
      'for WRN-28-10 [unverified]',
    settings: { ...labelNoise, network: 'wrn-28-10', width: networks['wrn-28-10'].usualWidth },
  },
  {
    name: 'authors-cifar100',
    title: 'CIFAR-100, ResNet-34',
    sentence: 'The published training on CIFAR-100 with wrong labels.',
    source: 'SAT, scripts/cifar100/run_sat.sh: all as for CIFAR-10',
    settings: labelNoise,
  },
  {
    name: 'authors-cifar10-no-augmentation',
    title: 'CIFAR-10 without augmentation',
    sentence: 'The published training on CIFAR-10 with wrong labels or spoilt pixels, on pictures as they are.',
    source:
      'SAT, scripts/cifar10/run_sat_validation_aug_off.sh; they train on the first 45 000 pictures and validate on the rest',
    settings: { ...labelNoise, startEpoch: 25, targetMomentum: 0.7, augmentation: 'none' },
  },
  {
    name: 'authors-selective-cifar10',
    title: 'CIFAR-10 with abstention',
    sentence: 'The published selective classification on CIFAR-10.',
    source: 'selective, run_cifar10.sh',
    settings: selective,
  },
  {
    name: 'authors-selective-svhn',
    title: 'SVHN with abstention',
    sentence: 'The published selective classification on SVHN.',
    source: 'selective, run_svhn.sh; they also rotate the pictures by up to 15 degrees, which is left out here',
    settings: { ...selective, startEpoch: 0, augmentation: 'crop' },
  },
  {
    name: 'authors-selective-cats-dogs',
    title: 'Cats vs Dogs with abstention',
    sentence: 'The published selective classification on Cats vs Dogs.',
    source: 'selective, run_catsdogs.sh; they pad the 64 pixels by 6 before the crop, here it is 8',
    settings: { ...selective, startEpoch: 0, resolution: 64 },
  },
  {
    name: 'authors-trades-cifar10',
    title: 'CIFAR-10, adversarial',
    sentence: 'The published adversarial training on CIFAR-10, TRADES with self-adaptive targets.',
    source: 'SAT, scripts/cifar10/run_trades_sat.sh with the defaults of main_adv.py',
    settings: {
      recipe: 'robust',
      network: 'wrn-34-10',
      width: networks['wrn-34-10'].usualWidth,
      resolution: 32,
      epochs: 100,
      // They count epochs from 1, in E_s = 70 as in the milestones 75, 90 and 100.
      startEpoch: 69,
      targetMomentum: 0.9,
      batchSize: 128,
      optimizer: 'sgd',
      learningRate: 0.1,
      schedule: { kind: 'steps', factor: 0.1, epochs: [74, 89, 99] },
      weightDecay: 2e-4,
      augmentation: 'crop-flip',
      attack: { radius: 0.031, stepSize: 0.007, steps: 10 },
    },
  },
];

export function presetByName(name: string): Preset | null {
  return presets.find((preset) => preset.name === name) ?? null;
}

/**
 * Double descent over the width of ResNet-18, 1 … 64 (SAT, scripts/cifar10/run_sat_dd_parallel.sh). The narrower the network, the
 * longer it needs, so its targets move more slowly, α = 0.9^(width/64), and later, E_s = ⌊40 · 64 / width⌋. Their one
 * milestone lies behind the last of the 4000 epochs, so the learning rate is constant. They augment as for label noise
 * and redraw 16.67 % of the labels.
 */
export function authorsDoubleDescent(width: number): Preset {
  return {
    name: `authors-double-descent-${width}`,
    title: `Double descent, ResNet-18 of width ${width}`,
    sentence: 'One point of the published curve of error over the width of the network.',
    source: 'SAT, scripts/cifar10/run_sat_dd_parallel.sh and the adjustment for the width in main.py',
    settings: {
      ...labelNoise,
      network: 'resnet18',
      width,
      epochs: 4000,
      startEpoch: Math.floor((40 * 64) / width),
      targetMomentum: 0.9 ** (width / 64),
      batchSize: 128,
      optimizer: 'adam',
      learningRate: 1e-4,
      schedule: { kind: 'constant' },
      weightDecay: 0,
    },
  };
}
