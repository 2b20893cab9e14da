import type { ClassId, Finding, SampleId } from '../../shared/domain.ts';
import type { Flags } from './flags.ts';
import type { EpochView } from './run-view.ts';

/**
 * What an epoch has found out about each sample.
 * @param given row i of everything belongs to `samples[i]`, class column j to `classIds[j]`; `abstention` is null while nothing has taught
 *   the model to abstain
 */
export function listFindings({
  samples,
  classIds,
  judged: { scores, flipEpochs },
  flags,
  abstention,
}: {
  samples: readonly { id: SampleId }[];
  classIds: readonly ClassId[];
  judged: EpochView;
  flags: Flags;
  abstention: Float32Array | null;
}): Finding[] {
  return samples.map(({ id }, i) => ({
    sampleId: id,
    suggestedClassId: classIds[scores.suggested[i]!]!,
    score: scores.score[i]!,
    weight: scores.weight[i]!,
    givenTarget: scores.givenTarget[i]!,
    suggestedTarget: scores.suggestedVote[i]!,
    flipEpoch: flipEpochs[i] === -1 ? null : flipEpochs[i]!,
    flagged: flags.flagged[i] === 1,
    abstention: abstention?.[i] ?? null,
  }));
}
