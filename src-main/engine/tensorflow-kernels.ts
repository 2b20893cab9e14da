import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrainingGradKernel, batchNormTrainingKernel, reluGradKernel } from '../../shared/kernels.ts';
import type { OpAttribute, TensorflowBackend } from './tensorflow.ts';

/*
 * Winnow's kernels as single TensorFlow operations: tfjs would compose each of a dozen, and in a small
 * network the memory traffic of those costs more than the convolutions.
 */

export function registerTensorflowKernels(): void {
  tf.registerKernel({ kernelName: batchNormTrainingKernel, backendName: 'tensorflow', kernelFunc: batchNormTraining });
  tf.registerKernel({
    kernelName: batchNormTrainingGradKernel,
    backendName: 'tensorflow',
    kernelFunc: batchNormTrainingGrad,
  });
  tf.registerKernel({ kernelName: reluGradKernel, backendName: 'tensorflow', kernelFunc: reluGrad });
}

interface KernelCall {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs?: unknown;
  backend: unknown;
}

/** FusedBatchNormV3 → y, mean, variance and three opaque reserves; the reserves are what its gradient wants back. */
function batchNormTraining({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const tensorflow = backend as TensorflowBackend;
  const { epsilon } = attrs as { epsilon: number };
  return tf.tidy(() => {
    const none = tf.tensor1d([]);
    const [y, , , ...reserves] = tensorflow.executeMultipleOutputs(
      'FusedBatchNormV3',
      [
        ...batchNormAttributes(tensorflow, epsilon),
        { name: 'exponential_avg_factor', type: tensorflow.binding.TF_ATTR_FLOAT, value: 1 },
      ],
      [input(inputs, 'x'), input(inputs, 'scale'), input(inputs, 'offset'), none, none],
      6,
    );
    return [y!, ...reserves];
  });
}

function batchNormTrainingGrad({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const tensorflow = backend as TensorflowBackend;
  const { epsilon } = attrs as { epsilon: number };
  const names = ['dy', 'x', 'scale', 'saved0', 'saved1', 'saved2'];
  return tf.tidy(() =>
    tensorflow
      .executeMultipleOutputs(
        'FusedBatchNormGradV3',
        batchNormAttributes(tensorflow, epsilon),
        names.map((name) => input(inputs, name)),
        5,
      )
      .slice(0, 3),
  );
}

function reluGrad({ inputs, backend }: KernelCall): tf.TensorInfo {
  const tensorflow = backend as TensorflowBackend;
  const type = { name: 'T', type: tensorflow.binding.TF_ATTR_TYPE, value: tensorflow.binding.TF_FLOAT };
  return tensorflow.executeSingleOutput('ReluGrad', [type], [input(inputs, 'dy'), input(inputs, 'y')]);
}

function batchNormAttributes({ binding }: TensorflowBackend, epsilon: number): OpAttribute[] {
  return [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
}

function input(inputs: KernelCall['inputs'], name: string): tf.TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`The kernel has no input "${name}".`);
  return tensor;
}
