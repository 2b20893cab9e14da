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
  replaceFilterGradient();
}

/**
 * oneDNN's filter gradient of a strided 1×1 convolution writes outside its memory (seen with TensorFlow 2.21: 8 → 16 channels,
 * batch 125, two threads). Of such a filter only every stride-th pixel takes part, so its gradient is one matrix product.
 */
function replaceFilterGradient(): void {
  const kernelName = tf.Conv2DBackpropFilter;
  const original = tf.getKernel(kernelName, 'tensorflow').kernelFunc;
  tf.unregisterKernel(kernelName, 'tensorflow');
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: (call) => {
      const { strides, pad, filterShape } = call.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
      const [strideHeight, strideWidth] = typeof strides === 'number' ? [strides, strides] : strides;
      const [height, width] = filterShape;
      const isStrided = strideHeight > 1 || strideWidth > 1;
      if (height !== 1 || width !== 1 || !isStrided || (pad !== 'same' && pad !== 'valid')) return original(call);
      return tf.tidy(() => {
        const x = input(call.inputs, 'x') as tf.Tensor4D;
        const dy = input(call.inputs, 'dy') as tf.Tensor4D;
        const seen = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, strideHeight, strideWidth, 1]);
        const rows = (tensor: tf.Tensor): tf.Tensor2D => tf.reshape(tensor, [-1, tensor.shape.at(-1)!]);
        return tf.reshape(tf.matMul(rows(seen), rows(dy), true, false), filterShape);
      });
    },
  });
}

interface KernelCall {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs?: unknown;
  backend: unknown;
}

/** FusedBatchNormV3 → y, mean, unbiased variance and three opaque reserves; the reserves are what its gradient wants back. */
function batchNormTraining({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const tensorflow = backend as TensorflowBackend;
  const { epsilon } = attrs as { epsilon: number };
  return tf.tidy(() => {
    const none = tf.tensor1d([]);
    return tensorflow.executeMultipleOutputs(
      'FusedBatchNormV3',
      [
        ...batchNormAttributes(tensorflow, epsilon),
        { name: 'exponential_avg_factor', type: tensorflow.binding.TF_ATTR_FLOAT, value: 1 },
      ],
      [input(inputs, 'x'), input(inputs, 'scale'), input(inputs, 'offset'), none, none],
      6,
    );
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
