import type { ApiHandlers } from '../../shared/api.ts';
import type { Overview, RunId } from '../../shared/domain.ts';
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

/** The state of the data set and of the work on it. */
function overview(db: Database): Overview {
  const runId = findingsRunId(db);
  const table = readLabelTable(db, runId);
  const samples = table.given.length;
  const remaining = remainingWithReason(table, runId);
  const { classes, pairs } = labelNoise(readClassIds(db), table, remaining?.probabilities ?? new Float64Array(samples));
  const work = readWork(db);
  let flaggedLeft = 0;
  for (let i = 0; i < samples; i++) if (table.flagged[i] === 1 && verdictOf(table, i) === 'undecided') flaggedLeft++;
  return {
    samples,
    classes,
    pairs,
    remaining: remaining?.estimate ?? null,
    found: classes.reduce((sum, { foundWrong }) => sum + foundWrong, 0),
    progress: reviewProgress(work),
    pace: reviewPace(work, flaggedLeft),
  };
}

function remainingWithReason(
  table: LabelTable,
  runId: RunId | null,
): { estimate: NonNullable<Overview['remaining']>; probabilities: Float64Array } | null {
  if (runId === null) return null;
  // What was decided before the run tells nothing of its doubts: it was trained with the labels that were found right or made so.
  const scores = table.scores.map((score, i) =>
    table.decidedBefore[i] === 1 && verdictOf(table, i) !== 'undecided' ? NaN : score,
  );
  let expectedTotal = 0;
  let checked = 0;
  let unjudged = 0;
  for (const [i, score] of scores.entries()) {
    const isUndecided = verdictOf(table, i) === 'undecided';
    if (Number.isNaN(score)) {
      if (isUndecided) unjudged++;
      continue;
    }
    if (!isUndecided) checked++;
    if (!Number.isNaN(table.rivalVotes[i]!)) expectedTotal += table.rivalVotes[i]!;
  }
  const { remaining, probabilities } = remainingErrors({
    scores,
    verdictOf: (i) => verdictOf(table, i),
    expectedTotal,
  });
  return { estimate: { ...remaining, explanation: explain(checked, unjudged) }, probabilities };
}

/** For people who know their classes but not statistics. */
function explain(checked: number, unjudged: number): string {
  const count = (images: number): string => (images === 1 ? '1 image' : `${images.toLocaleString('en')} images`);
  const basis =
    checked === 0
      ? 'Nobody has checked a label since the model was trained, so this is its own estimate, and the range is wide: models often take pictures that they find hard for wrong labels, and overlook some where very many are wrong.'
      : `It assumes that unchecked labels are wrong as often as the ${checked.toLocaleString('en')} checked ones that the model doubted as much; checking some that it hardly doubts makes the range narrower.`;
  return unjudged === 0 ? basis : `${basis} The ${count(unjudged)} that the model has not judged are not counted.`;
}
