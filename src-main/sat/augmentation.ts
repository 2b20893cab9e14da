import * as tf from '@tensorflow/tfjs-core';
import type { AugmentationName } from '../../shared/domain.ts';
import type { Random } from '../domain/random.ts';

/**
 * A random view of each picture; `images` are `[batch, side, side, 3]` and so is the result, a tensor of its own.
 * @param black what a black pixel is after scaling, per channel: the border of the published crops
 */
export function augment(
  name: AugmentationName,
  images: tf.Tensor4D,
  random: Random,
  black: readonly number[],
): tf.Tensor4D {
  switch (name) {
    case 'none':
      return images.clone();
    case 'shift-flip':
      // The authors shift by an eighth, in runs that see every picture 200 times; half of it suits a tenth of that.
      return shiftAndFlip(images, random, {
        reach: Math.round(images.shape[1] / 16),
        addBorder: reflectBorder,
        mirrors: true,
      });
    case 'crop':
    case 'crop-flip': {
      const mirrors = name === 'crop-flip';
      return shiftAndFlip(images, random, {
        reach: Math.round(images.shape[1] / 8),
        addBorder: (pictures, width) => plainBorder(pictures, width, black),
        mirrors,
      });
    }
    case 'views':
      return tf.tidy(() => jitterColours(cropAndFlip(images, random), random));
  }
}

/**
 * Random shift by up to `reach` pixels, and perhaps a random mirror image, as one crop-and-resize per batch: a box whose left edge lies
 * right of its right edge reads the picture backwards. A reflected border makes no edge that the picture does not have;
 * a black one is the published protocol's.
 */
function shiftAndFlip(images: tf.Tensor4D, random: Random, { reach, addBorder, mirrors }: ShiftSettings): tf.Tensor4D {
  const [, side] = images.shape;
  // One pixel more than the shift needs: rounding must never push a box outside, where there is nothing to read.
  const padding = reach + 1;
  // Boxes count in units of the padded side, from the centre of its first pixel to that of its last.
  const last = side + 2 * padding - 1;
  const extent = (side - 1) / last;
  return tf.tidy(() =>
    readBoxes(addBorder(images, padding), side, () => {
      const top = (1 + random.integer(2 * reach + 1)) / last;
      const left = (1 + random.integer(2 * reach + 1)) / last;
      const flip = mirrors && random.next() < 0.5;
      return [top, flip ? left + extent : left, top + extent, flip ? left : left + extent];
    }),
  );
}

interface ShiftSettings {
  /** Largest shift, pixels. */
  reach: number;
  addBorder: (images: tf.Tensor4D, width: number) => tf.Tensor4D;
  mirrors: boolean;
}

/** A random part of the picture, between a quarter and all of its area, enlarged to the full side and perhaps mirrored. */
function cropAndFlip(images: tf.Tensor4D, random: Random): tf.Tensor4D {
  return readBoxes(images, images.shape[1], () => {
    const area = 0.25 + 0.75 * random.next();
    const aspect = Math.exp(Math.log(4 / 3) * (2 * random.next() - 1));
    const height = Math.min(1, Math.sqrt(area / aspect));
    const width = Math.min(1, Math.sqrt(area * aspect));
    const top = random.next() * (1 - height);
    const left = random.next() * (1 - width);
    const flip = random.next() < 0.5;
    return [top, flip ? left + width : left, top + height, flip ? left : left + width];
  });
}

/**
 * Contrast, brightness, colour balance and saturation of each picture, moved at random; one in five becomes grey. What is left to
 * tell a picture by is its content. For pixels of mean 0 and variance 1.
 */
function jitterColours(images: tf.Tensor4D, random: Random): tf.Tensor4D {
  const [batch] = images.shape;
  const perPicture = (channels: number, value: () => number): tf.Tensor4D =>
    tf.tensor4d(Float32Array.from({ length: batch * channels }, value), [batch, 1, 1, channels]);
  const contrast = perPicture(1, () => 1 + 0.4 * (2 * random.next() - 1));
  const brightness = perPicture(1, () => 0.4 * random.normal());
  const balance = perPicture(3, () => 0.15 * random.normal());
  const saturation = perPicture(1, () => (random.next() < 0.2 ? 0 : 1 + 0.4 * (2 * random.next() - 1)));
  const grey = tf.mean(images, 3, true);
  const coloured = tf.add(grey, tf.mul(tf.sub(images, grey), saturation));
  return tf.add(tf.mul(coloured, contrast), tf.add(brightness, tf.mul(balance, tf.minimum(saturation, 1))));
}

/** Reads one box `[top, left, bottom, right]` of every picture, in units of its side, into `[batch, side, side, 3]`. */
function readBoxes(images: tf.Tensor4D, side: number, box: () => number[]): tf.Tensor4D {
  const [batch] = images.shape;
  const boxes = tf.tensor2d(Float32Array.from(Array.from({ length: batch }, box).flat()), [batch, 4]);
  return tf.image.cropAndResize(images, boxes, tf.range(0, batch, 1, 'int32'), [side, side], 'bilinear', 0);
}

function reflectBorder(images: tf.Tensor4D, width: number): tf.Tensor4D {
  return tf.mirrorPad(images, borderOf(width), 'reflect');
}

/** @param color per channel */
function plainBorder(images: tf.Tensor4D, width: number, color: readonly number[]): tf.Tensor4D {
  const colors = tf.tensor1d([...color]);
  return tf.add(tf.pad4d(tf.sub(images, colors), borderOf(width)), colors);
}

function borderOf(width: number): [[number, number], [number, number], [number, number], [number, number]] {
  return [
    [0, 0],
    [width, width],
    [width, width],
    [0, 0],
  ];
}
