import type { ClassId, Finding } from '../../shared/domain.ts';
import type { Flags } from './flags.ts';
import type { EpochView } from './run-view.ts';

/**
 * What an epoch has found out about each sample, one after the other: a million at once would be most of the memory of an epoch.
 * @param given row i of everything belongs to `sampleIds[i]`, class column j to `classIds[j]`; `abstention` is null while nothing has taught
 *   the model to abstain
 */
export function* listFindings({
  sampleIds,
  classIds,
  judged: { scores, flipEpochs },
  flags,
  abstention,
}: {
  sampleIds: Uint32Array;
  classIds: readonly ClassId[];
  judged: EpochView;
  flags: Flags;
  abstention: Float32Array | null;
}): Generator<Finding> {
  for (const [i, sampleId] of sampleIds.entries()) {
    yield {
      sampleId,
      suggestedClassId: classIds[scores.suggested[i]!]!,
      score: scores.score[i]!,
      weight: scores.weight[i]!,
      givenTarget: scores.givenTarget[i]!,
      suggestedTarget: scores.suggestedVote[i]!,
      flipEpoch: flipEpochs[i] === -1 ? null : flipEpochs[i]!,
      flagged: flags.flagged[i] === 1,
      abstention: abstention?.[i] ?? null,
    };
  }
}
