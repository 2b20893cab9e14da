/*
 * What a run believes about each given label, from SAT's soft targets. Pure functions over
 * `[samples, classes]` arrays; t_ij is sample i's soft target at class j.
 */

export interface SampleScores {
  /** Doubt about the given label: v_r / (v_r + v_y), r being the strongest other class; above 0.5 r is ahead. `[samples]` */
  score: Float32Array;
  /** t_i at the given label. `[samples]` */
  givenTarget: Float32Array;
  /** Confidence weight w_i = max_j t_ij. `[samples]` */
  weight: Float32Array;
  /** argmax_j v_ij, a class index. `[samples]` */
  suggested: Int32Array;
  /** v_i at the suggested label: the model's own probability that the suggestion is right. `[samples]` */
  suggestedVote: Float32Array;
}

/**
 * After n updates t = αⁿ·onehot(y) + (1−αⁿ)·v, where v is the decaying average of the predictions: the model's votes. Scores are
 * read from v, because in t the given label starts with a lead that has nothing to do with the picture. 1 − t_y and 1 − v_y give
 * the same order; the duel with the strongest rival orders better than either (ADR 1).
 * @param targets t, `[samples, classes]`
 * @param labels given class index of each sample
 * @param remainder αⁿ, the share of the one-hot start that is left in t, in [0, 1)
 */
export function scoreSamples(targets: Float32Array, labels: Int32Array, remainder: number): SampleScores {
  const samples = labels.length;
  const classes = targets.length / samples;
  const scores: SampleScores = {
    score: new Float32Array(samples),
    givenTarget: new Float32Array(samples),
    weight: new Float32Array(samples),
    suggested: new Int32Array(samples),
    suggestedVote: new Float32Array(samples),
  };
  for (let i = 0; i < samples; i++) {
    const label = labels[i]!;
    const row = targets.subarray(i * classes, (i + 1) * classes);
    const given = row[label]!;
    let rival = label === 0 ? Math.min(1, classes - 1) : 0;
    for (let j = 0; j < classes; j++) if (j !== label && row[j]! > row[rival]!) rival = j;
    const givenVote = Math.max(0, given - remainder) / (1 - remainder);
    const rivalVote = row[rival]! / (1 - remainder);
    // On a tie the given label stands.
    const rivalWins = rivalVote > givenVote;
    const sum = rivalVote + givenVote;
    scores.score[i] = sum > 0 ? rivalVote / sum : 0;
    scores.givenTarget[i] = given;
    scores.weight[i] = Math.max(given, row[rival]!);
    scores.suggested[i] = rivalWins ? rival : label;
    scores.suggestedVote[i] = Math.min(1, rivalWins ? rivalVote : givenVote);
  }
  return scores;
}

/**
 * Keeps, for each sample, the first epoch since which its suggested label has been another than the given one; −1 while they agree.
 * @param flipEpochs as of the epoch before, `[samples]`; changed in place
 */
export function updateFlipEpochs(
  flipEpochs: Int32Array,
  suggested: Int32Array,
  labels: Int32Array,
  epoch: number,
): void {
  for (let i = 0; i < labels.length; i++) {
    if (suggested[i] === labels[i]) flipEpochs[i] = -1;
    else if (flipEpochs[i] === -1) flipEpochs[i] = epoch;
  }
}
