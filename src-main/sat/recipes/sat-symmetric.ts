import { satSymmetricCrossEntropy } from '../losses.ts';
import { logitsOf } from '../models/network.ts';
import { createClassifier } from './classifier.ts';
import type { Recipe } from './recipe.ts';

/** SAT with the symmetric cross-entropy, a = 1 and b = 0.3. */
export const satSymmetric: Recipe = {
  name: 'sat-symmetric',
  title: 'Self-adaptive, symmetric',
  sentence: 'The same with a loss that wrong labels pull less; worth a try when you expect very many wrong labels.',
  gives: 'doubts',
  inputs: 'standardised',
  usesLabels: true,
  movesTargets: true,
  create: (context) =>
    createClassifier(context, {
      loss: (network, { images, targets, epoch }) =>
        satSymmetricCrossEntropy(logitsOf(network, images, 'training'), targets, epoch, context.settings),
    }),
};
