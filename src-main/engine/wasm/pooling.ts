import * as tf from '@tensorflow/tfjs-core';

interface PoolAttributes {
  filterSize: [number, number] | number;
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * dy goes to the first largest pixel of its window. tfjs's own kernel starts its search at 0 instead of −∞, so that windows without
 * a positive pixel lose their gradient.
 */
export function maxPoolGradient(
  x: tf.Tensor4D,
  y: tf.Tensor4D,
  dy: tf.Tensor4D,
  { filterSize, strides, pad, dimRoundingMode }: PoolAttributes,
): tf.TensorInfo {
  const info = tf.backend_util.computePool2DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { strideHeight, strideWidth, inHeight, inWidth, outHeight, outWidth, padInfo } = info;
  return tf.tidy(() => {
    let dx: tf.Tensor4D = tf.zerosLike(x);
    // 1 for the windows whose largest pixel is still to be met.
    let open: tf.Tensor4D = tf.onesLike(y);
    for (let row = 0; row < info.filterHeight; row++) {
      for (let column = 0; column < info.filterWidth; column++) {
        const [top, left] = [row - padInfo.top, column - padInfo.left];
        const seen = window(x, top, left, outHeight * strideHeight, outWidth * strideWidth, -Infinity);
        const pixels = tf.stridedSlice(seen, [0, 0, 0, 0], seen.shape, [1, strideHeight, strideWidth, 1]);
        const largest = tf.mul<tf.Tensor4D>(tf.cast(tf.equal(pixels, y), 'float32'), open);
        open = tf.sub(open, largest);
        const given = spread(tf.mul(largest, dy), strideHeight, strideWidth);
        dx = tf.add(dx, window(given, -top, -left, inHeight, inWidth));
      }
    }
    return dx;
  });
}

/** The pixels from (top, left) on, `fill` where `x` has none. */
function window(x: tf.Tensor4D, top: number, left: number, height: number, width: number, fill = 0): tf.Tensor4D {
  const [batch, xHeight, xWidth, channels] = x.shape;
  const border: [number, number][] = [
    [0, 0],
    [Math.max(0, -top), Math.max(0, top + height - xHeight)],
    [Math.max(0, -left), Math.max(0, left + width - xWidth)],
    [0, 0],
  ];
  const padded = tf.pad(x, border, fill);
  return tf.slice4d(padded, [0, Math.max(0, top), Math.max(0, left), 0], [batch, height, width, channels]);
}

/** Puts stride − 1 zeros after every pixel. */
function spread(x: tf.Tensor4D, strideHeight: number, strideWidth: number): tf.Tensor4D {
  if (strideHeight === 1 && strideWidth === 1) return x;
  const [batch, height, width, channels] = x.shape;
  // Zeros behind the channels of a pixel are pixels once the shape is read anew; the same for rows.
  const columns = tf.pad(tf.reshape(x, [batch * height, width, channels]), [
    [0, 0],
    [0, 0],
    [0, (strideWidth - 1) * channels],
  ]);
  const wide = width * strideWidth * channels;
  const rows = tf.pad(tf.reshape(columns, [batch * height, wide]), [
    [0, 0],
    [0, (strideHeight - 1) * wide],
  ]);
  return tf.reshape(rows, [batch, height * strideHeight, width * strideWidth, channels]);
}
