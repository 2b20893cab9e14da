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
