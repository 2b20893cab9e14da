import * as tf from '@tensorflow/tfjs-core';
import { crossEntropy } from '../losses.ts';
import { logitsOf } from '../models/network.ts';
import { stopGradient } from '../operations.ts';
import { createClassifier } from './classifier.ts';
import type { Recipe } from './recipe.ts';

/** Ordinary training, the baseline that the others are measured against. */
export const crossEntropyBaseline: Recipe = {
  name: 'cross-entropy',
  title: 'Ordinary training',
  sentence: 'Believes every label to the end, so it learns the wrong ones too; a baseline to compare with.',
  gives: 'doubts',
  inputs: 'standardised',
  usesLabels: true,
  movesTargets: false,
  create: (context) =>
    createClassifier(context, {
      loss: (network, { images, targets }) => {
        const logits = logitsOf(network, images, 'training');
        return { loss: crossEntropy(logits, targets), targets, probabilities: stopGradient(tf.softmax(logits)) };
      },
    }),
};
