import { median } from './median.ts';

/** What decides whether learning from the images alone suits a project. */
export interface ProjectFigures {
  samples: number;
  /** Samples of each class that has any. */
  classCounts: readonly number[];
  /** Share of labels that the latest findings expect to be wrong; null before there are any. */
  noiseRate: number | null;
}

/** Why self-supervised pretraining suits the project, in one sentence; null where it does not particularly. */
export function reasonToPretrain({ samples, classCounts, noiseRate }: ProjectFigures): string | null {
  if (samples < manyImages) return null;
  const images = samples.toLocaleString('en');
  const typical = median(classCounts);
  if (typical < fewLabels) {
    return `There are ${images} images, but few labels to learn from: a typical class has ${Math.round(typical)} of them.`;
  }
  if (noiseRate !== null && noiseRate >= doubtfulShare) {
    return `There are ${images} images, but their labels are doubtful: about ${Math.round(100 * noiseRate)} % look wrong.`;
  }
  return null;
}

const manyImages = 2000;
/** Images per class below which a network learns more of the pictures than of the class. */
const fewLabels = 50;
const doubtfulShare = 0.2;
