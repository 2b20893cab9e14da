import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../domain/random.ts';

/**
 * Random shift by up to a sixteenth of the side, and a random mirror image, as one crop-and-resize per batch: a box whose
 * left edge lies right of its right edge reads the picture backwards. The border is reflected, so that no edge appears that
 * the picture does not have. The authors shift by an eighth, in runs
 * that see every picture 200 times; half of it suits a tenth of that.
 * @param images `[batch, side, side, 3]`, normalised
 */
export function randomCropAndFlip(images: tf.Tensor4D, random: Random): tf.Tensor4D {
  const [batch, side] = images.shape;
  const reach = Math.round(side / 16);
  // One pixel more than the shift needs: rounding must never push a box outside, where there is nothing to read.
  const border = reach + 1;
  // Boxes count in units of the padded side, from the centre of its first pixel to that of its last.
  const last = side + 2 * border - 1;
  const extent = (side - 1) / last;
  const boxes = new Float32Array(batch * 4);
  for (let i = 0; i < batch; i++) {
    const top = (1 + random.integer(2 * reach + 1)) / last;
    const left = (1 + random.integer(2 * reach + 1)) / last;
    const flip = random.next() < 0.5;
    boxes.set([top, flip ? left + extent : left, top + extent, flip ? left : left + extent], i * 4);
  }
  return tf.tidy(() =>
    tf.image.cropAndResize(
      reflectBorder(images, border),
      tf.tensor2d(boxes, [batch, 4]),
      tf.range(0, batch, 1, 'int32'),
      [side, side],
      'bilinear',
      0,
    ),
  );
}

function reflectBorder(images: tf.Tensor4D, width: number): tf.Tensor4D {
  return tf.mirrorPad(
    images,
    [
      [0, 0],
      [width, width],
      [width, width],
      [0, 0],
    ],
    'reflect',
  );
}
