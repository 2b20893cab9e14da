import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrainingGradKernel, batchNormTrainingKernel, reluGradKernel } from '../../../shared/kernels.ts';
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from './convolution.ts';
import { add, relu, reluGradient } from './elementwise.ts';
import type { Machine } from './machine.ts';
import { batchNormTraining, batchNormTrainingGradient } from './normalisation.ts';
import { maxPoolGradient } from './pooling.ts';

/* What a training step spends its time in, on threads and fused; tfjs's own kernels run on one thread and do the rest. */

type Shape4D = [number, number, number, number];
type ConvolutionAttributes = Parameters<typeof conv2d>[3];

interface KernelCall {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs?: unknown;
  backend: unknown;
}

type Kernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

export function registerKernels(machine: Machine): void {
  const input = tensorOf;
  const kernels: Record<string, Kernel> = {
    [tf.Conv2D]: ({ inputs, attrs }) =>
      conv2d(machine, input(inputs, 'x'), input(inputs, 'filter'), attrs as ConvolutionAttributes),
    [tf.Conv2DBackpropInput]: ({ inputs, attrs }) => {
      const { inputShape, ...attributes } = attrs as ConvolutionAttributes & { inputShape: Shape4D };
      return conv2dInputGradient(machine, input(inputs, 'dy'), input(inputs, 'filter'), inputShape, attributes);
    },
    [tf.Conv2DBackpropFilter]: ({ inputs, attrs }) => {
      const { filterShape, ...attributes } = attrs as ConvolutionAttributes & { filterShape: Shape4D };
      return conv2dFilterGradient(machine, input(inputs, 'x'), input(inputs, 'dy'), filterShape, attributes);
    },
    [tf.MaxPoolGrad]: ({ inputs, attrs }) => {
      const [x, y, dy] = ['input', 'output', 'dy'].map((name) => input(inputs, name) as tf.Tensor4D);
      return maxPoolGradient(x!, y!, dy!, attrs as Parameters<typeof maxPoolGradient>[3]);
    },
    [tf.Identity]: ({ inputs }) => machine.share(input(inputs, 'x')),
    [tf.Relu]: ({ inputs }) => relu(machine, input(inputs, 'x')),
    [tf.Add]: withFallback(tf.Add, ({ inputs }) => add(machine, input(inputs, 'a'), input(inputs, 'b'))),
    [reluGradKernel]: ({ inputs }) => reluGradient(machine, input(inputs, 'dy'), input(inputs, 'y')),
    [batchNormTrainingKernel]: ({ inputs, attrs }) => {
      const { epsilon } = attrs as { epsilon: number };
      const [x, scale, offset] = ['x', 'scale', 'offset'].map((name) => input(inputs, name));
      return batchNormTraining(machine, x!, scale!, offset!, epsilon);
    },
    [batchNormTrainingGradKernel]: ({ inputs }) => {
      const names = ['dy', 'x', 'scale', 'saved0', 'saved1'];
      const [dy, x, scale, mean, inverseDeviation] = names.map((name) => input(inputs, name));
      return batchNormTrainingGradient(machine, dy!, x!, scale!, mean!, inverseDeviation!);
    },
  };
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    const replaced = tf.getKernelsForBackend('wasm').find((kernel) => kernel.kernelName === kernelName);
    // tfjs would warn of a second registration.
    if (replaced !== undefined) tf.unregisterKernel(kernelName, 'wasm');
    // What is replaced may still be called, so its set-up is done as before.
    tf.registerKernel({ ...replaced, kernelName, backendName: 'wasm', kernelFunc });
  }
}

/** A kernel that may pass a call on to tfjs's own by answering null. */
function withFallback(name: string, kernel: (call: KernelCall) => tf.TensorInfo | null): Kernel {
  const original = tf.getKernel(name, 'wasm').kernelFunc as unknown as Kernel;
  return (call) => kernel(call) ?? original(call);
}

function tensorOf(inputs: KernelCall['inputs'], name: string): tf.TensorInfo {
  const value = inputs[name];
  if (value === undefined) throw new Error(`The kernel has no input "${name}".`);
  return value;
}
