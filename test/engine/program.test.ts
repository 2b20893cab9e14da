import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineName } from '../../shared/domain.ts';
import { enginesByPreference } from '../../src-main/engine/choice.ts';
import { loadEngine, type LoadedEngine } from '../../src-main/engine/engines.ts';
import { interpret, type TensorWork } from '../../src-main/engine/program.ts';
import { satCrossEntropy } from '../../src-main/sat/losses.ts';
import { createCompactNetwork } from '../../src-main/sat/models/compact.ts';
import { logitsOf } from '../../src-main/sat/models/network.ts';
import { createOptimizer } from '../../src-main/sat/optimizer.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';

const settings = { startEpoch: 0, targetMomentum: 0.9 };
const outputs = 3;
const resolution = 32;

// WebGPU interprets as WebAssembly does, and a software adapter takes minutes for a network.
describe.each(enginesByPreference.filter((name) => name !== 'webgpu'))('a program of %s', (name: EngineName) => {
  let engine: LoadedEngine | null = null;
  let absent = '';

  beforeAll(async () => {
    try {
      engine = await loadEngine(name, engineFolderForTests());
    } catch (error) {
      absent = String(error);
    }
  });

  it('trains as the same work does operation by operation, with batches of several sizes and another rate each time', async (context) => {
    if (engine === null) return context.skip(absent);
    const sides = [interpret, engine.compile].map((compile) => createSide(compile));
    for (const [step, batch] of [6, 5, 6, 5].entries()) {
      const found = await Promise.all(sides.map(({ take }) => take(batch, 0.1 / (step + 1))));
      for (const key of ['loss', 'targets', 'images'] as const) expectClose(found[1]![key]!, found[0]![key]!);
    }
    const [interpreted, compiled] = await Promise.all(sides.map(({ values }) => values()));
    for (const [variable, values] of interpreted!) expectClose(compiled!.get(variable)!, values);
    const tensors = tf.memory().numTensors;
    await sides[1]!.take(6, 0.1);
    expect(tf.memory().numTensors).toBe(tensors);
    sides.forEach(({ dispose }) => dispose());
  });

  it('leaves the variables alone until it is run, and then changes those that the work assigns', async (context) => {
    if (engine === null) return context.skip(absent);
    const changed = tf.variable(tf.tensor1d([1, 2]));
    const read = tf.variable(tf.tensor1d([10, 20]));
    const program = engine.compile(({ x }) => {
      changed.assign(tf.add(tf.mul(changed as tf.Tensor1D, x!), read));
      return { sum: tf.sum(changed) };
    });
    const run = async (): Promise<number> => {
      const { sum } = tf.tidy(() => program.run({ x: tf.tensor1d([2, 3]) }));
      return (await sum!.data())[0]!;
    };
    expect(await run()).toBe(12 + 26);
    read.assign(tf.tensor1d([0, 0]));
    expect(await run()).toBe(24 + 78);
    expect([...(await changed.data())]).toEqual([24, 78]);
    program.dispose();
    tf.dispose([changed, read]);
  });

  it('is interpreted where the work reads what it is not given', async (context) => {
    if (engine === null) return context.skip(absent);
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    let foreign = tf.add(tf.tensor1d([1]), 1);
    const program = engine.compile(({ x }) => ({ y: tf.mul(x!, foreign) }));
    const run = async (): Promise<number> => (await tf.tidy(() => program.run({ x: tf.tensor1d([3]) })).y!.data())[0]!;
    expect(await run()).toBe(6);
    foreign = tf.add(foreign, 1);
    expect(await run()).toBe(9);
    await new Promise(setImmediate);
    process.off('warning', listen);
    if (name === 'tensorflow') expect(warnings.join()).toMatch(/slower.*neither an input nor a variable/);
  });
});

interface Side {
  take(batch: number, learningRate: number): Promise<Record<string, ArrayLike<number>>>;
  values(): Promise<Map<string, ArrayLike<number>>>;
  dispose(): void;
}

/** A small network with its optimizer, which takes training steps. */
function createSide(compile: LoadedEngine['compile']): Side {
  const network = createCompactNetwork({ width: 4, resolution, outputs, seed: 1 });
  const parameters = new Map([...network.parameters.values()].map((parameter) => [parameter.name, parameter]));
  const optimizer = createOptimizer('sgd-nesterov', parameters, 5e-4);
  const work: TensorWork = (given) => {
    const { images, targets, rates } = given as { images: tf.Tensor4D; targets: tf.Tensor2D; rates: tf.Tensor1D };
    let updated: tf.Tensor | null = null;
    const { value, grads } = tf.variableGrads(() => {
      const { loss, targets: after } = satCrossEntropy(logitsOf(network, images, 'training'), targets, 1, settings);
      updated = tf.keep(after.clone());
      return loss;
    }, [...parameters.values()]);
    optimizer.step(grads, rates);
    return { loss: value, targets: updated!, images };
  };
  const program = compile(work);
  return {
    take: async (batch, learningRate) => {
      const results = tf.tidy(() =>
        program.run({
          images: tf.randomNormal([batch, resolution, resolution, 3], 0, 1, 'float32', batch),
          targets: tf.fill([batch, outputs], 1 / outputs),
          rates: tf.tensor1d(optimizer.rates(learningRate)),
        }),
      );
      const found = await Promise.all(
        Object.entries(results).map(async ([key, tensor]) => [key, await tensor.data()] as const),
      );
      tf.dispose(results);
      return Object.fromEntries(found);
    },
    values: async () =>
      new Map(
        await Promise.all(
          [...network.parameters, ...network.statistics].map(
            async ([key, variable]) => [key, await variable.data()] as const,
          ),
        ),
      ),
    dispose: () => {
      program.dispose();
      optimizer.dispose();
      tf.dispose([...network.parameters.values(), ...network.statistics.values()]);
    },
  };
}

/** Within a hundred-thousandth of the largest number. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  let largest = 1;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
  }
  expect(difference / largest).toBeLessThan(1e-5);
}
