/** What became of the labels of a training with wrong ones; shares are 0..1. */
export interface LabelFate {
  samples: number;
  /** Labels that differ from the truth. */
  wrong: number;
  /** Share of the wrong labels whose likeliest class is the true one. */
  recovered: number;
  /** Share of the wrong labels whose likeliest class is the wrong label. */
  memorised: number;
  /** Share of the right labels whose likeliest class is another. */
  lost: number;
  /** Share of all samples whose likeliest class is the true one. */
  right: number;
}

/**
 * Compares the likeliest class of every sample with its given and its true label.
 * @param beliefs `[samples, classes]`: soft targets where they move, else the network's latest probabilities
 */
export function fateOfLabels(beliefs: Float32Array, given: Int32Array, truth: Int32Array): LabelFate {
  const samples = given.length;
  const classes = beliefs.length / samples;
  let [wrong, recovered, memorised, lost, right] = [0, 0, 0, 0, 0];
  for (let sample = 0; sample < samples; sample++) {
    const likeliest = largest(beliefs, sample * classes, classes);
    const isTrue = likeliest === truth[sample];
    if (isTrue) right++;
    if (given[sample] === truth[sample]) {
      if (!isTrue) lost++;
    } else {
      wrong++;
      if (isTrue) recovered++;
      else if (likeliest === given[sample]) memorised++;
    }
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    samples,
    wrong,
    recovered: share(recovered, wrong),
    memorised: share(memorised, wrong),
    lost: share(lost, samples - wrong),
    right: share(right, samples),
  };
}

/**
 * Error among the surest part of the held-out images, for coverages of 1, 2, … 100 %.
 * @param doubt the lower, the surer; of equals, any are as likely to be covered as any others, so each counts as their mean error
 * @returns 100 shares, 0..1
 */
export function errorByCoverage(doubt: ArrayLike<number>, isWrong: readonly boolean[]): number[] {
  const order = [...isWrong.keys()].sort((a, b) => doubt[a]! - doubt[b]!);
  // errors[n]: wrong ones to expect among the n surest.
  const errors: number[] = [0];
  for (let start = 0; start < order.length; start = errors.length - 1) {
    let end = start;
    let wrong = 0;
    do wrong += Number(isWrong[order[end++]!]);
    while (end < order.length && doubt[order[end]!] === doubt[order[start]!]);
    for (let n = start + 1; n <= end; n++) errors.push(errors[start]! + (wrong * (n - start)) / (end - start));
  }
  return Array.from({ length: 100 }, (_, index) => {
    const covered = Math.max(1, Math.round(((index + 1) / 100) * order.length));
    return errors[covered]! / covered;
  });
}

/** Whether each row's likeliest class is another than the label. */
export function wrongPredictions(probabilities: Float32Array, labels: Int32Array): boolean[] {
  const classes = probabilities.length / labels.length;
  return Array.from(labels, (label, sample) => largest(probabilities, sample * classes, classes) !== label);
}

/** 1 − max p of each row: the softmax response (Geifman and El-Yaniv 2017). */
export function softmaxDoubt(probabilities: Float32Array, rows: number): Float64Array {
  const classes = probabilities.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => {
    const start = row * classes;
    return 1 - probabilities[start + largest(probabilities, start, classes)]!;
  });
}

/** Index of the largest of `count` values from `start`, relative to it; the first of equals. */
function largest(values: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}
