import { permutation, type Random } from '../domain/random.ts';

/**
 * `count` samples with as equal numbers of every class as there are, in ascending order. Classes that run out leave their places
 * to the others; all samples when there are no more than `count`.
 */
export function balancedSubset(labels: Int32Array, classes: number, count: number, random: Random): Int32Array {
  if (count >= labels.length) return Int32Array.from(labels.keys());
  const queues: number[][] = Array.from({ length: classes }, () => []);
  for (const sample of permutation(labels.length, random)) queues[labels[sample]!]!.push(sample);
  const subset: number[] = [];
  // Round after round one of each class, in an order that no class profits from.
  while (subset.length < count) {
    for (const label of permutation(classes, random)) {
      const sample = queues[label]!.pop();
      if (sample !== undefined && subset.length < count) subset.push(sample);
    }
  }
  return Int32Array.from(subset).sort();
}
