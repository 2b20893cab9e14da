import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { networkNames, type EngineName, type NetworkName } from '../../../shared/domain.ts';
import { createRandom } from '../../../src-main/domain/random.ts';
import { enginesByPreference } from '../../../src-main/engine/choice.ts';
import { loadEngine } from '../../../src-main/engine/engines.ts';
import { convolveCentred } from '../../../src-main/sat/models/layers.ts';
import { logitsOf } from '../../../src-main/sat/models/network.ts';
import { networks } from '../../../src-main/sat/models/networks.ts';
import { engineFolderForTests } from '../../support/engine-folder.ts';

describe.each(enginesByPreference)('%s', (engine: EngineName) => {
  let absent: string | null = null;

  beforeAll(async () => {
    try {
      await loadEngine(engine, engineFolderForTests());
    } catch (error) {
      absent = String(error);
      console.warn(`engine not in use: ${engine}: ${absent}`);
    }
  });

  it.for(networkNames)('trains %s: a gradient for every parameter, statistics that follow', async (name, context) => {
    if (absent !== null) return context.skip(absent);
    const network = networks[name].create({ width: narrow(name), resolution: 32, outputs: 3, seed: 1 });
    const images = pictures([6, 32, 32, 3], 2);
    const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3);
    const before = await readAll(network.statistics.values());
    const lossOf = (): tf.Scalar => {
      const logits = logitsOf(network, images, 'training');
      expect(logits.shape).toEqual([6, 3]);
      return tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), 1)));
    };
    const { value, grads } = tf.variableGrads(lossOf, [...network.parameters.values()]);
    expect((await value.data())[0]).toBeGreaterThan(0);
    for (const [parameterName, parameter] of network.parameters) {
      const gradient = grads[parameter.name]!;
      expect([parameterName, gradient.shape]).toEqual([parameterName, parameter.shape]);
      const values = await gradient.data();
      expect([parameterName, values.every(Number.isFinite), values.some((v) => v !== 0)]).toEqual([
        parameterName,
        true,
        true,
      ]);
    }
    const after = await readAll(network.statistics.values());
    after.forEach((statistic, i) => expect(statistic).not.toEqual(before[i]));
    tf.dispose([...network.parameters.values(), ...network.statistics.values()]);
  });

  it.for(networkNames)('evaluates %s: a picture by itself, and its gradient', async (name, context) => {
    if (absent !== null) return context.skip(absent);
    const resolution = 64;
    const network = networks[name].create({ width: narrow(name), resolution, outputs: 3, seed: 1 });
    const images = pictures([3, resolution, resolution, 3], 3);
    // Moves the statistics away from where they start.
    tf.dispose(network.features(images, 'training'));
    const features = network.features(images, 'evaluation');
    expect(features.shape).toEqual([3, network.featureSize]);
    const alone = network.features(tf.slice4d(images, [1, 0, 0, 0], [1, -1, -1, -1]), 'evaluation');
    expectClose(await alone.data(), await tf.slice2d(features, [1, 0], [1, -1]).data(), 1e-4);
    const gradient = tf.grad((x) => tf.sum(tf.square(logitsOf(network, x as tf.Tensor4D, 'evaluation'))))(images);
    expect(gradient.shape).toEqual(images.shape);
    const values = await gradient.data();
    expect([values.every(Number.isFinite), values.some((v) => v !== 0)]).toEqual([true, true]);
    tf.dispose([...network.parameters.values(), ...network.statistics.values()]);
  });

  it.for([6, 7])('centres a strided filter on every second of %i pixels', async (side, context) => {
    if (absent !== null) return context.skip(absent);
    const x = pictures([2, side, side, 3], 4);
    const filter = tf.variable(pictures([3, 3, 3, 4], 5));
    const y = convolveCentred(x, filter, 2);
    // Without a stride all paddings agree; every second of its pixels is what a stride of two keeps.
    const everySecond = tf.stridedSlice(
      tf.conv2d(x, filter, 1, 'same'),
      [0, 0, 0, 0],
      [2, side, side, 4],
      [1, 2, 2, 1],
    );
    expect(y.shape).toEqual(everySecond.shape);
    expectClose(await y.data(), await everySecond.data(), 1e-4);
    // Linear in x and in the filter: Σ dy · conv(x) = Σ dx · x = Σ df · f.
    const dy = pictures(y.shape, 6);
    const [dx, df] = tf.grads((x, f) => convolveCentred(x as tf.Tensor4D, f as tf.Variable<tf.Rank.R4>, 2))(
      [x, filter],
      dy,
    );
    const product = await tf.sum(tf.mul(dy, y)).data();
    expectClose(await tf.sum(tf.mul(dx!, x)).data(), product, 1e-2);
    expectClose(await tf.sum(tf.mul(df!, filter as tf.Tensor)).data(), product, 1e-2);
    filter.dispose();
  });

  it('drops channels of VGG16 in training, by its seed, and none in evaluation', async (context) => {
    if (absent !== null) return context.skip(absent);
    const images = pictures([4, 32, 32, 3], 7);
    const create = () => networks['vgg16-bn'].create({ width: 4, resolution: 32, outputs: 3, seed: 1 });
    const [network, twin] = [create(), create()];
    const first = await network.features(images, 'training').data();
    const zeros = first.filter((value) => value === 0).length / first.length;
    expect(zeros).toBeGreaterThan(0.25);
    expect(zeros).toBeLessThan(0.75);
    expectClose(await twin.features(images, 'training').data(), first, 1e-4);
    expect(await network.features(images, 'training').data()).not.toEqual(first);
    const evaluated = async (): Promise<ArrayLike<number>> => await network.features(images, 'evaluation').data();
    expect(await evaluated()).toEqual(await evaluated());
    for (const { parameters, statistics } of [network, twin])
      tf.dispose([...parameters.values(), ...statistics.values()]);
  });
});

async function readAll(tensors: Iterable<tf.Tensor>): Promise<number[][]> {
  return await Promise.all([...tensors].map(async (tensor) => [...(await tensor.data())]));
}

/** Enough for every parameter to matter; the wide networks have ten times it. */
function narrow(name: NetworkName): number {
  return name.startsWith('wrn') ? 1 : 2;
}

/** Standard normal. */
function pictures(shape: number[], seed: number): tf.Tensor4D {
  const random = createRandom(seed);
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor4d(
    Float32Array.from({ length: size }, () => random.normal()),
    shape as [number, number, number, number],
  );
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  expect(worst).toBeLessThanOrEqual(tolerance);
}
