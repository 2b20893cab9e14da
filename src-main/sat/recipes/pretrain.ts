import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../../domain/random.ts';
import { representationLoss, representationSpread, updateRepresentations } from '../losses.ts';
import { createParameters, dense, normalise, type ParameterStore } from '../models/layers.ts';
import type { Mode, Network } from '../models/network.ts';
import { stopGradient } from '../operations.ts';
import { streamsOf, type Learner, type Recipe, type RecipeContext } from './recipe.ts';

/**
 * Self-supervised SAT: the moving-average idea with no labels. An averaged copy of the network looks at the same single view and its
 * representations, averaged over the epochs, are what the network learns to predict. [unverified]: the details are ours, because the
 * authors' code for this part is not published (see docs/paper.md).
 */
export const pretrain: Recipe = {
  name: 'pretrain',
  title: 'Images first',
  sentence:
    'Learns from the images alone, without any label; a start for the usual choice when labels are few or doubtful.',
  gives: 'encoder',
  inputs: 'standardised',
  usesLabels: false,
  movesTargets: true,
  create: createSelfSupervised,
};

/** D, numbers in a representation. */
const representationSize = 64;
const hiddenSize = 256;
/** β, momentum of the averaged network. */
const networkMomentum = 0.99;

function createSelfSupervised({ settings, createNetwork }: RecipeContext): Learner {
  const { seed, targetMomentum, classes } = settings;
  const network = createNetwork({ outputs: classes, seed });
  const averaged = createNetwork({ outputs: classes, seed });
  const heads = createParameters(createRandom(seed + 4));
  const averagedHeads = createParameters(createRandom(seed + 4));
  const project = createHead(heads, 'projector', network.featureSize);
  const projectAveraged = createHead(averagedHeads, 'projector', network.featureSize);
  const predict = createHead(heads, 'predictor', representationSize);
  const encoder = withoutClassifier(network);
  const parameters = new Map([...encoder, ...heads.parameters]);
  // [latest, average]; the predictor has no average.
  const follow = [...pairs(encoder, averaged.parameters), ...pairs(heads.parameters, averagedHeads.parameters)];
  return {
    network,
    parameters,
    variables: byPlace({ network, averaged, heads, averagedHeads }),
    streams: streamsOf({ network: network.random, averaged: averaged.random }),
    drawsInLoss: network.random !== undefined,
    targetSize: representationSize,
    hasAbstention: false,
    initialTargets: (labels) => new Float32Array(labels.length * representationSize),
    loss: ({ images, targets }) => {
      // Training mode for both: an average of weights has no statistics of its own to evaluate with.
      const representations = stopGradient(projectAveraged(averaged.features(images, 'training'), 'training'));
      const updated = updateRepresentations(targets, representations, targetMomentum);
      const predictions = predict(project(network.features(images, 'training'), 'training'), 'training');
      return {
        loss: representationLoss(predictions, updated),
        targets: updated,
        probabilities: null,
        spread: representationSpread(representations),
      };
    },
    afterStep: () =>
      tf.tidy(() => {
        for (const [latest, mean] of follow) {
          mean.assign(
            tf.add(tf.mul(mean as tf.Tensor, networkMomentum), tf.mul(latest as tf.Tensor, 1 - networkMomentum)),
          );
        }
      }),
    dispose: () => {
      for (const { parameters, statistics } of [network, averaged, heads, averagedHeads]) {
        tf.dispose([...parameters.values(), ...statistics.values()]);
      }
    },
  };
}

/** Linear, normalised, ReLU, linear: `[batch, inputs]` → `[batch, representationSize]`, as BYOL's heads (Grill et al. 2020). */
function createHead(
  store: ParameterStore,
  name: string,
  inputs: number,
): (features: tf.Tensor2D, mode: Mode) => tf.Tensor2D {
  const first = store.dense(`${name}/first`, inputs, hiddenSize);
  const norm = store.norm(`${name}/norm`, hiddenSize);
  const second = store.dense(`${name}/second`, hiddenSize, representationSize);
  return (features, mode) => {
    const [batch] = features.shape;
    const hidden = tf.reshape(dense(features, first), [batch, 1, 1, hiddenSize]);
    const rectified = tf.relu(normalise(hidden as tf.Tensor4D, norm, mode));
    return dense(tf.reshape(rectified, [batch, hiddenSize]), second);
  };
}

/** Parameters and statistics of several stores, by the store's name and their own. */
function byPlace(
  stores: Record<string, Pick<ParameterStore, 'parameters' | 'statistics'>>,
): ReadonlyMap<string, tf.Variable> {
  return new Map(
    Object.entries(stores).flatMap(([place, { parameters, statistics }]) =>
      [...parameters, ...statistics].map(([name, variable]): [string, tf.Variable] => [`${place}/${name}`, variable]),
    ),
  );
}

/** Variables of the same name. */
function pairs(
  latest: ReadonlyMap<string, tf.Variable>,
  averages: ReadonlyMap<string, tf.Variable>,
): [tf.Variable, tf.Variable][] {
  return [...latest].flatMap(([name, variable]) => {
    const average = averages.get(name);
    return average === undefined ? [] : [[variable, average] as [tf.Variable, tf.Variable]];
  });
}

/** The classifier takes no part, and its parameters would have no gradient. */
function withoutClassifier({ parameters }: Network): Map<string, tf.Variable> {
  return new Map([...parameters].filter(([name]) => !name.startsWith('head/')));
}
