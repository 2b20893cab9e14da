import * as tf from '@tensorflow/tfjs-core';
import { createRandom } from '../../domain/random.ts';
import { divergenceAttack } from '../attack.ts';
import { tradesSat } from '../losses.ts';
import { logitsOf } from '../models/network.ts';
import { createClassifier } from './classifier.ts';
import type { Recipe } from './recipe.ts';

/** Adversarial training: TRADES (Zhang et al. 2019) with SAT's targets in place of the labels. */
export const robust: Recipe = {
  name: 'robust',
  title: 'Robust',
  sentence: 'Trains against tiny changes made to fool it; many times slower, for when pictures may be tampered with.',
  gives: 'doubts',
  // The radius of the attack is in units of the pixels.
  inputs: 'unit',
  usesLabels: true,
  movesTargets: true,
  // The authors' radius; half their steps of twice the length, so that a run ends in hours rather than days.
  attack: { radius: 0.031, stepSize: 0.014, steps: 5 },
  create: (context) => {
    const { settings } = context;
    const { attack } = settings;
    if (attack === null) throw new Error('The recipe "robust" needs an attack to train against.');
    // A stream of its own: the attack's noise must not change the order of the pictures.
    const random = createRandom(settings.seed + 3);
    return createClassifier(context, {
      random,
      draw: (images) =>
        tf.tensor4d(
          Float32Array.from({ length: images.size }, () => random.normal()),
          images.shape,
        ),
      prepare: (network, { images, drawn }) =>
        divergenceAttack((x) => logitsOf(network, x, 'evaluation'), images, drawn!, attack),
      loss: (network, { images, prepared, targets, epoch }) => {
        const logits = logitsOf(network, images, 'training');
        return tradesSat(logits, logitsOf(network, prepared!, 'training'), targets, epoch, settings, beta);
      },
    });
  },
};

/** β, weight of the divergence; the authors'. */
const beta = 6;
