import * as tf from '@tensorflow/tfjs-core';
import type { AugmentationName } from '../../shared/domain.ts';
import type { Random } from '../domain/random.ts';

/** How the pictures of a batch are moved: by whole pixels, so that whatever reads the pixels can do it on the way. */
export interface Moves {
  /** Of each picture: pixels down, pixels to the right, and 1 where it is mirrored. `[batch, 3]` */
  offsets: Int8Array;
  /** What is seen beyond the picture. A reflected border makes no edge that it does not have; a black one is the published protocol's. */
  border: 'reflect' | 'black';
}

/** Draws a shift and perhaps a mirror image for each of `count` pictures of `side` pixels; null for an augmentation that has none. */
export function drawMoves(name: AugmentationName, side: number, count: number, random: Random): Moves | null {
  switch (name) {
    case 'none':
    case 'views':
      return null;
    case 'shift-flip':
      // The authors shift by an eighth, in runs that see every picture 200 times; half of it suits a tenth of that.
      return draw({ reach: Math.round(side / 16), mirrors: true, border: 'reflect' });
    case 'crop':
      return draw({ reach: Math.round(side / 8), mirrors: false, border: 'black' });
    case 'crop-flip':
      return draw({ reach: Math.round(side / 8), mirrors: true, border: 'black' });
  }

  /** Up to `reach` pixels in each direction. */
  function draw({ reach, mirrors, border }: { reach: number; mirrors: boolean; border: Moves['border'] }): Moves {
    const shift = (): number => random.integer(2 * reach + 1) - reach;
    const offsets = new Int8Array(3 * count);
    for (let i = 0; i < count; i++) offsets.set([shift(), shift(), Number(mirrors && random.next() < 0.5)], 3 * i);
    return { offsets, border };
  }
}

/** Which of a picture's rows, or columns, is seen at each of `side` places after a move; −1 where it is the black border. */
export function seenPixels(side: number, shift: number, mirrored: boolean, border: Moves['border']): Int32Array {
  const last = side - 1;
  return Int32Array.from({ length: side }, (_, place) => {
    const pixel = (mirrored ? last - place : place) + shift;
    if (pixel >= 0 && pixel <= last) return pixel;
    if (border === 'black') return -1;
    return pixel < 0 ? -pixel : 2 * last - pixel;
  });
}

/** A strongly changed view of each picture, for learning without labels: `[batch, side, side, 3]` → the same shape. */
export function strongViews(images: tf.Tensor4D, random: Random): tf.Tensor4D {
  return tf.tidy(() => jitterColours(cropAndFlip(images, random), random));
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
