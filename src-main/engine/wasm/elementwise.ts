import type * as tf from '@tensorflow/tfjs-core';
import type { Machine } from './machine.ts';
import { elementChunk, rectify, rectifyGradient, sum } from './programs.ts';

export function relu(machine: Machine, x: tf.TensorInfo): tf.TensorInfo {
  const [y, count] = outputLike(machine, x);
  const values = { x: machine.pointerOf(x), result: machine.pointerOf(y), count };
  machine.run(rectify, values, Math.ceil(count / elementChunk));
  return y;
}

/** dy where the output y is positive. */
export function reluGradient(machine: Machine, dy: tf.TensorInfo, y: tf.TensorInfo): tf.TensorInfo {
  const [dx, count] = outputLike(machine, y);
  const values = { dy: machine.pointerOf(dy), y: machine.pointerOf(y), result: machine.pointerOf(dx), count };
  machine.run(rectifyGradient, values, Math.ceil(count / elementChunk));
  return dx;
}

/** Sum of two large tensors of one shape; null for all others, which tfjs adds as fast. */
export function add(machine: Machine, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo | null {
  const isSame = a.shape.length === b.shape.length && a.shape.every((side, axis) => side === b.shape[axis]);
  if (!isSame || a.dtype !== 'float32' || b.dtype !== 'float32') return null;
  const [result, count] = outputLike(machine, a);
  const values = { a: machine.pointerOf(a), b: machine.pointerOf(b), result: machine.pointerOf(result), count };
  machine.run(sum, values, Math.ceil(count / elementChunk));
  return result;
}

function outputLike(machine: Machine, { shape }: tf.TensorInfo): [tf.TensorInfo, number] {
  return [machine.makeOutput(shape), shape.reduce((product, side) => product * side, 1)];
}
