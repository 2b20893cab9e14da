import { satSelective } from '../losses.ts';
import { logitsOf } from '../models/network.ts';
import { createClassifier } from './classifier.ts';
import type { Recipe } from './recipe.ts';

/** Selective classification: SAT with an abstention class. */
export const selective: Recipe = {
  name: 'selective',
  title: 'With abstention',
  sentence: 'Also learns to say “I cannot tell”, so that you can look first at the images it finds hard.',
  gives: 'triage',
  inputs: 'standardised',
  usesLabels: true,
  movesTargets: true,
  create: (context) =>
    createClassifier(context, {
      hasAbstention: true,
      loss: (network, { images, targets, labels, epoch }) =>
        satSelective(logitsOf(network, images, 'training'), targets, labels, epoch, context.settings),
    }),
};
