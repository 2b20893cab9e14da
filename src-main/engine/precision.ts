/** Of the factors in matrix products, `f16` being half precision; sums are single precision in both. */
export type Precision = (typeof precisions)[number];

export const precisions = ['f32', 'f16'] as const;
