import type { ApiHandlers } from '../../shared/api.ts';
import type { ClassId, Overview } from '../../shared/domain.ts';
import { labelNoise, verdictOf } from '../domain/label-noise.ts';
import { reviewPace, reviewProgress } from '../domain/pace.ts';
import { remainingErrors } from '../domain/remaining-errors.ts';
import { readClassIds } from '../store/classes.ts';
import type { Database } from '../store/database.ts';
import { findingsRunId } from '../store/findings.ts';
import { readLabelTable, readWork, type LabelTable } from '../store/overview.ts';
import type { Project } from './projects.ts';

export function overviewHandlers(openProject: () => Project): Pick<ApiHandlers, 'getOverview'> {
  return { getOverview: () => overview(openProject().db) };
}

function overview(db: Database): Overview {
  const runId = findingsRunId(db);
  const table = readLabelTable(db);
  const work = readWork(db);
  const { remaining, ...noise } = noiseOverview(table, readClassIds(db));
  return {
    samples: table.given.length,
    ...noise,
    remaining: runId === null ? null : remaining,
    progress: reviewProgress(work),
    pace: reviewPace(work, countFlaggedLeft(table)),
  };
}

/** What follows from the labels alone. */
export function noiseOverview(
  table: LabelTable,
  classIds: readonly ClassId[],
): Pick<Overview, 'classes' | 'pairs' | 'found'> & { remaining: NonNullable<Overview['remaining']> } {
  const scores = new Float64Array(table.score.length).fill(NaN);
  let expectedTotal = 0;
  let checked = 0;
  let unjudged = 0;
  for (let i = 0; i < scores.length; i++) {
    const isUndecided = verdictOf(table, i) === 'undecided';
    if (!isUndecided && table.tested[i] === 0) continue;
    if (Number.isNaN(table.score[i]!)) {
      if (isUndecided) unjudged++;
      continue;
    }
    scores[i] = table.score[i]!;
    if (!isUndecided) checked++;
    if (table.suggested[i] !== table.given[i]) expectedTotal += table.suggestedTarget[i]!;
  }
  const { remaining, probabilities } = remainingErrors({
    scores,
    verdictOf: (i) => verdictOf(table, i),
    expectedTotal,
  });
  const { classes, pairs } = labelNoise(classIds, table, probabilities);
  return {
    classes,
    pairs,
    found: classes.reduce((sum, { foundWrong }) => sum + foundWrong, 0),
    remaining: { ...remaining, explanation: explain(checked, unjudged) },
  };
}

function countFlaggedLeft(table: LabelTable): number {
  let left = 0;
  for (let i = 0; i < table.flagged.length; i++) {
    if (table.flagged[i] === 1 && verdictOf(table, i) === 'undecided') left++;
  }
  return left;
}

/** For people who know their classes but not statistics. */
function explain(checked: number, unjudged: number): string {
  const count = (images: number): string => (images === 1 ? '1 image' : `${images.toLocaleString('en')} images`);
  const basis =
    checked === 0
      ? "Nobody has checked a label since this training, so this is the model's own estimate. Models often take pictures that they find hard for wrong labels, and overlook some where very many are wrong: hence the wide range."
      : `Unchecked labels are taken to be wrong as often as those that the model doubted as much among the ${count(checked)} checked since this training. It is too high if only wrong labels are corrected and right ones are not confirmed.`;
  return unjudged === 0 ? basis : `${basis} ${count(unjudged)} that the model has not judged are not counted.`;
}
