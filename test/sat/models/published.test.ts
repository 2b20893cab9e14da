import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { networkNames, type NetworkName } from '../../../shared/domain.ts';
import { loadEngine } from '../../../src-main/engine/engines.ts';
import type { Network } from '../../../src-main/sat/models/network.ts';
import { networks } from '../../../src-main/sat/models/networks.ts';

beforeAll(async () => {
  await loadEngine('wasm', null);
});

describe('the published networks', () => {
  /**
   * With 10 logits at 32 pixels. Those of the VGG are the usual 14 728 266 and the second layer of the authors' head:
   * 512 · 512 + 512 for the matrix and 2 · 512 for its normalisation.
   */
  it.each<[NetworkName, number, number]>([
    ['resnet18', 11_173_962, 0.56],
    ['resnet34', 21_282_122, 1.16],
    ['vgg16-bn', 14_728_266 + 262_656 + 1024, 0.314],
    ['wrn-28-10', 36_479_194, 5.25],
    ['wrn-34-10', 46_160_474, 6.66],
  ])('%s has %i parameters and costs about %f billion multiplications', (name, parameters, billions) => {
    const { gflop, usualWidth } = networks[name];
    expect(parametersAt(name, usualWidth)).toBe(parameters);
    expect(Math.abs(gflop(usualWidth, 32) / 2 / billions - 1)).toBeLessThan(0.01);
  });

  it('have as many parameters at full width as narrow ones foretell, and free them all', () => {
    const { create, usualWidth } = networks.resnet18;
    const network = create({ width: usualWidth, resolution: 32, outputs: 10, seed: 1 });
    expect(count(network)).toBe(parametersAt('resnet18', usualWidth));
    dispose(network);
    expect(tf.memory().numTensors).toBe(0);
  });

  it('count the multiplications that a forward pass really makes', async () => {
    for (const name of networkNames) {
      for (const resolution of [32, 45, 64]) {
        const { create, gflop } = networks[name];
        const network = create({ width: 2, resolution, outputs: 3, seed: 1 });
        const { kernels } = await tf.profile(() =>
          tf.tidy(() => network.features(tf.zeros([1, resolution, resolution, 3]), 'evaluation')),
        );
        let products = 0;
        for (const { name: kernel, inputShapes, outputShapes } of kernels) {
          const [left, right] = inputShapes;
          const output = outputShapes[0]!;
          if (kernel === 'Conv2D') products += right!.slice(0, 3).reduce((all, side) => all * side, 1) * size(output);
          if (kernel === 'BatchMatMul') products += left!.at(-1)! * size(output);
        }
        expect([name, resolution, gflop(2, resolution) * 1e9]).toEqual([
          name,
          resolution,
          expect.closeTo(2 * products, 1) as number,
        ]);
        dispose(network);
      }
    }
  });

  it('start from the same weights for the same seed and from others for another', () => {
    const firstWeights = (seed: number): Float32Array => {
      const network = networks.resnet18.create({ width: 2, resolution: 32, outputs: 10, seed });
      const weights = network.parameters.get('stage4/block2/second')!.dataSync<'float32'>();
      dispose(network);
      return weights;
    };
    expect(firstWeights(1)).toEqual(firstWeights(1));
    expect(firstWeights(2)).not.toEqual(firstWeights(1));
  });

  it('keep the scale of the signal through their depth', () => {
    const network = networks['wrn-28-10'].create({ width: 2, resolution: 32, outputs: 10, seed: 1 });
    const { mean, variance } = tf.moments(
      network.features(tf.randomNormal([8, 32, 32, 3], 0, 1, 'float32', 1), 'training'),
    );
    // Rectified standard normals have mean 0.4; their averages over 64 pixels vary little.
    expect(mean.dataSync()[0]).toBeCloseTo(0.4, 1);
    expect(variance.dataSync()[0]).toBeLessThan(0.34);
    dispose(network);
  });

  it('says which resolution VGG16 needs', () => {
    const create = (): Network => networks['vgg16-bn'].create({ width: 2, resolution: 31, outputs: 10, seed: 1 });
    expect(create).toThrow(/needs 32 pixels or more, not 31/);
    expect(() => networks['vgg16-bn'].gflop(2, 16)).toThrow(/needs 32 pixels or more, not 16/);
  });
});

/** The count is a quadratic in the width, so three narrow networks tell it of any, without 46 million random numbers. */
function parametersAt(name: NetworkName, width: number): number {
  const [one, two, three] = [1, 2, 3].map((narrow) => {
    const network = networks[name].create({ width: narrow, resolution: 32, outputs: 10, seed: 1 });
    const parameters = count(network);
    dispose(network);
    return parameters;
  }) as [number, number, number];
  const rise = two - one;
  const bend = three - 2 * two + one;
  return one + rise * (width - 1) + (bend * (width - 1) * (width - 2)) / 2;
}

function count({ parameters }: Network): number {
  return [...parameters.values()].reduce((sum, parameter) => sum + parameter.size, 0);
}

function dispose(network: Network): void {
  tf.dispose([...network.parameters.values(), ...network.statistics.values()]);
}

function size(shape: number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
