/*
 * What a run believes about each given label, from SAT's soft targets. Pure functions over
 * `[samples, classes]` arrays; t_ij is sample i's soft target at class j.
 */

export interface SampleScores {
  /** Doubt about the given label: 1 − t_iy, 0..1. `[samples]` */
  score: Float32Array;
  /** argmax_j t_ij, a class index. `[samples]` */
  suggested: Int32Array;
  /** t_i at the given label. `[samples]` */
  givenTarget: Float32Array;
  /** Confidence weight w_i = max_j t_ij. `[samples]` */
  weight: Float32Array;
}

/**
 * The target starts as 1 at the given label and moves only towards what the model predicts, so 1 − t_iy is the share of
 * the model's (decaying) votes that went to other classes.
 * @param targets `[samples, classes]`
 * @param labels given class index of each sample
 */
export function scoreSamples(targets: Float32Array, labels: Int32Array): SampleScores {
  const samples = labels.length;
  const classes = targets.length / samples;
  const scores: SampleScores = {
    score: new Float32Array(samples),
    suggested: new Int32Array(samples),
    givenTarget: new Float32Array(samples),
    weight: new Float32Array(samples),
  };
  for (let i = 0; i < samples; i++) {
    const row = targets.subarray(i * classes, (i + 1) * classes);
    const given = row[labels[i]!]!;
    // On a tie the given label stands.
    let suggested = labels[i]!;
    for (let j = 0; j < classes; j++) if (row[j]! > row[suggested]!) suggested = j;
    scores.score[i] = Math.min(1, Math.max(0, 1 - given));
    scores.suggested[i] = suggested;
    scores.givenTarget[i] = given;
    scores.weight[i] = row[suggested]!;
  }
  return scores;
}

/**
 * The first epoch from which a sample's largest target stayed another class than the given one; −1 while it agrees.
 * @param previous the answer after the epoch before, `[samples]`
 */
export function updateFlipEpochs(previous: Int32Array, suggested: Int32Array, labels: Int32Array, epoch: number): void {
  for (let i = 0; i < labels.length; i++) {
    if (suggested[i] === labels[i]) previous[i] = -1;
    else if (previous[i] === -1) previous[i] = epoch;
  }
}
