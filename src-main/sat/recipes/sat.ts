import { satCrossEntropy } from '../losses.ts';
import { logitsOf } from '../models/network.ts';
import { createClassifier } from './classifier.ts';
import type { Recipe } from './recipe.ts';

/** Self-adaptive training as published for wrong labels (NeurIPS 2020, algorithm 1). */
export const sat: Recipe = {
  name: 'sat',
  title: 'Self-adaptive training',
  sentence:
    'Learns your classes, then stops believing labels that do not fit; the usual choice for finding wrong labels.',
  gives: 'doubts',
  inputs: 'standardised',
  usesLabels: true,
  movesTargets: true,
  create: (context) =>
    createClassifier(context, {
      loss: (network, { images, targets, epoch }) =>
        satCrossEntropy(logitsOf(network, images, 'training'), targets, epoch, context.settings),
    }),
};
