import * as tf from '@tensorflow/tfjs-core';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { enginesByPreference } from '../../src-main/engine/choice.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { divergenceAttack } from '../../src-main/sat/attack.ts';
import {
  satCrossEntropy,
  satSelective,
  satSymmetricCrossEntropy,
  tradesSat,
  type LossOutput,
} from '../../src-main/sat/losses.ts';
import type { EngineName } from '../../shared/domain.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';
import { allowSoftwareGpu } from '../support/software-gpu.ts';

/* Every loss against the authors' own, step by step with the targets handed on: loss, gradient, soft targets, adversarial example. */

interface Step {
  epoch: number;
  index: number[];
  logits: number[][];
  loss: number;
  gradLogits: number[][];
  softTargetsAfter: number[][];
}

interface TradesStep {
  epoch: number;
  index: number[];
  x: number[][];
  noise: number[][];
  xAdversarial: number[][];
  logits: number[][];
  loss: number;
  gradW: number[][];
  gradB: number[];
  softTargetsAfter: number[][];
}

interface Golden {
  numClasses: number;
  labels: number[];
  satCrossEntropy: { alpha: number; startEpoch: number; steps: Step[] };
  satSymmetricCrossEntropy: {
    alpha: number;
    startEpoch: number;
    ceWeight: number;
    rceWeight: number;
    steps: Step[];
  };
  satSelective: { alpha: number; steps: Step[] };
  tradesSat: {
    alpha: number;
    startEpoch: number;
    stepSize: number;
    epsilon: number;
    perturbSteps: number;
    beta: number;
    W: number[][];
    b: number[];
    steps: TradesStep[];
  };
}

const goldenFile = resolve(import.meta.dirname, '../../../shared/fixtures/sat_losses.json');
const hasGolden = existsSync(goldenFile);
if (!hasGolden) console.warn(`No golden values at ${goldenFile}: the comparison with the authors' losses is skipped.`);
const tolerance = 1e-5;

describe.skipIf(!hasGolden).each(enginesByPreference)("the authors' values on %s", (name: EngineName) => {
  let absent: string | null = null;
  let golden: Golden;

  beforeAll(async () => {
    golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Golden;
    allowSoftwareGpu();
    try {
      const engine = await loadEngine(name, engineFolderForTests());
      console.log(`engine in use: ${name} ${engine.version}, ${engine.device}`);
    } catch (error) {
      absent = String(error);
      console.warn(`engine not in use: ${name}: ${absent}`);
    }
  });

  type Loss = (logits: tf.Tensor2D, targets: tf.Tensor2D, labels: tf.Tensor2D, epoch: number) => LossOutput;
  const lossCases: [string, (golden: Golden) => { steps: Step[]; loss: Loss }][] = [
    [
      'SAT',
      ({ satCrossEntropy: { alpha, startEpoch, steps } }) => ({
        steps,
        loss: (logits, targets, _, epoch) =>
          satCrossEntropy(logits, targets, epoch, { targetMomentum: alpha, startEpoch }),
      }),
    ],
    [
      'symmetric SAT',
      ({ satSymmetricCrossEntropy: { alpha, startEpoch, ceWeight, rceWeight, steps } }) => ({
        steps,
        loss: (logits, targets, _, epoch) =>
          satSymmetricCrossEntropy(
            logits,
            targets,
            epoch,
            { targetMomentum: alpha, startEpoch },
            { crossEntropy: ceWeight, reverse: rceWeight },
          ),
      }),
    ],
    [
      'selective SAT',
      ({ satSelective: { alpha, steps } }) => ({
        steps,
        loss: (logits, targets, labels, epoch) =>
          satSelective(logits, targets, labels, epoch, { targetMomentum: alpha, startEpoch: 0 }),
      }),
    ],
  ];

  it.for(lossCases)('%s: loss, gradient and soft targets', async ([, caseOf], context) => {
    if (absent !== null) return context.skip(absent);
    const { steps, loss } = caseOf(golden);
    const oneHot = oneHotRows(golden);
    const targets = oneHot.map((row) => [...row]);
    for (const { epoch, index, ...step } of steps) {
      const given = tf.tensor2d(index.map((sample) => targets[sample]!));
      const labels = tf.tensor2d(index.map((sample) => oneHot[sample]!));
      let updated = given;
      const { value, grad } = tf.valueAndGrad((logits) => {
        const output = loss(logits as tf.Tensor2D, given, labels, epoch);
        updated = tf.keep(output.targets);
        return output.loss;
      })(tf.tensor2d(step.logits));
      expectClose(await value.data(), [step.loss]);
      expectClose(await grad.data(), step.gradLogits.flat());
      expectClose(await updated.data(), step.softTargetsAfter.flat());
      const rows = await updated.array();
      index.forEach((sample, row) => (targets[sample] = rows[row]!));
    }
  });

  it('TRADES with SAT: adversarial example, loss, gradient of the model and soft targets', async (context) => {
    if (absent !== null) return context.skip(absent);
    const { alpha, startEpoch, stepSize, epsilon, perturbSteps, beta, W, b, steps } = golden.tradesSat;
    const weights = tf.tensor2d(W);
    const bias = tf.tensor1d(b);
    const targets = oneHotRows(golden);
    for (const step of steps) {
      const images = tf.tensor2d(step.x);
      const adversarial = divergenceAttack(
        (x: tf.Tensor2D) => tf.add(tf.matMul(x, weights), bias),
        images,
        tf.tensor2d(step.noise),
        { radius: epsilon, stepSize, steps: perturbSteps },
      );
      expectClose(await adversarial.data(), step.xAdversarial.flat());
      const given = tf.tensor2d(step.index.map((sample) => targets[sample]!));
      let updated = given;
      const { value, grads } = tf.valueAndGrads((w, c) => {
        const classify = (x: tf.Tensor2D): tf.Tensor2D => tf.add(tf.matMul(x, w as tf.Tensor2D), c);
        const settings = { targetMomentum: alpha, startEpoch };
        const output = tradesSat(classify(images), classify(adversarial), given, step.epoch, settings, beta);
        updated = tf.keep(output.targets);
        return output.loss;
      })([weights, bias]);
      expectClose(await value.data(), [step.loss]);
      expectClose(await grads[0]!.data(), step.gradW.flat());
      expectClose(await grads[1]!.data(), step.gradB);
      expectClose(await updated.data(), step.softTargetsAfter.flat());
      const rows = await updated.array();
      step.index.forEach((sample, row) => (targets[sample] = rows[row]!));
    }
  });
});

function oneHotRows({ labels, numClasses }: Golden): number[][] {
  return labels.map((label) => Array.from({ length: numClasses }, (_, j) => Number(j === label)));
}

function expectClose(actual: ArrayLike<number>, expected: number[]): void {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - actual[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
}
