import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../domain/random.ts';

/**
 * Random shift by up to an eighth of the side, and a random mirror image, as one crop-and-resize per batch: a box whose
 * left edge lies right of its right edge reads the picture backwards, and what lies outside is 0, the mean colour.
 * The shift is the authors' (4 pixels of 32) at every resolution.
 * @param images `[batch, side, side, 3]`, normalised
 */
export function randomCropAndFlip(images: tf.Tensor4D, random: Random): tf.Tensor4D {
  const [batch, side] = images.shape;
  const reach = Math.round(side / 8);
  const boxes = new Float32Array(batch * 4);
  for (let i = 0; i < batch; i++) {
    const top = (random.integer(2 * reach + 1) - reach) / (side - 1);
    const left = (random.integer(2 * reach + 1) - reach) / (side - 1);
    const flip = random.next() < 0.5;
    boxes.set([top, flip ? left + 1 : left, top + 1, flip ? left : left + 1], i * 4);
  }
  return tf.tidy(() =>
    tf.image.cropAndResize(
      images,
      tf.tensor2d(boxes, [batch, 4]),
      tf.range(0, batch, 1, 'int32'),
      [side, side],
      'bilinear',
      0,
    ),
  );
}
