/*
 * Kernels that Winnow adds to tfjs. `sat/` runs them by name and owns their gradients; `engine/`
 * registers an implementation for each backend. Only names and shapes live here.
 */

/** Training-mode batch normalisation: {x [b, h, w, c], scale [c], offset [c]} → [y, mean, unbiased variance, ...saved], with `{epsilon}`. */
export const batchNormTrainingKernel = 'WinnowBatchNormTraining';

/** Its gradient: {dy, x, scale, saved0, saved1, saved2} → [dx, dscale, doffset], with `{epsilon}`. */
export const batchNormTrainingGradKernel = 'WinnowBatchNormTrainingGrad';

/** Gradient of max(x, 0) from its output: {dy, y} → dx. */
export const reluGradKernel = 'WinnowReluGrad';

/*
 * Kernels that an engine may leave out; `sat/` then composes them. They are for engines on which every operation costs the same however
 * small its tensors are.
 */

/** {average, latest} → average · (1 − share) + latest · share, all of one shape, with `{share}`. */
export const moveAverageKernel = 'WinnowMoveAverage';

/** {parameter, velocity, gradient, learningRate [1]} → [parameter, velocity] after a step, all others of one shape. */
export const sgdStepKernel = 'WinnowSgdStep';

export type SgdStepAttributes = {
  momentum: number;
  /** 0 where the parameter does not decay. */
  weightDecay: number;
  nesterov: boolean;
};
