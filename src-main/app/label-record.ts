import type { ClassId } from '../../shared/domain.ts';
import { cell, type CsvCell } from '../dataset/formats/csv.ts';
import type { ExportSample } from '../store/samples.ts';

/** A sample as it is exported; the keys are the columns. */
export type LabelRecord = Record<Column, string | number | null> & {
  file: string;
  given: string;
  label: string | null;
};

type Column = (typeof columns)[number];
export const columns = [
  'file',
  'given',
  'label',
  'state',
  'suggested',
  'score',
  'confidence_weight',
  'decided_at',
] as const;

export function toRecord(sample: ExportSample, names: ReadonlyMap<ClassId, string>): LabelRecord {
  const { path: file, givenClass, currentClass, state, finding, decidedAt } = sample;
  return {
    file,
    given: givenClass,
    label: currentClass,
    state,
    suggested: finding === null ? null : (names.get(finding.suggestedClassId) ?? null),
    score: finding === null ? null : rounded(finding.score),
    confidence_weight: finding === null ? null : rounded(finding.weight),
    decided_at: decidedAt,
  };
}

/** As a CSV cell: nothing as an empty one. */
export function toCell(value: string | number | null): CsvCell {
  return cell(value === null ? '' : String(value));
}

/** Six decimals: more than training can tell apart. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
