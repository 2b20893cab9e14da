import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LabelsFile } from '../../../../shared/api.ts';
import { exportLabels } from '../../../../src-main/app/export.ts';
import { openDatabase } from '../../../../src-main/store/database.ts';
import { readProjectInfo } from '../../../../src-main/store/project-info.ts';
import type { Operation, Place } from '../operation.ts';

const group = 'Export';

export const exportOperations: Operation[] = [
  exporting('CSV', 'csv', () => null),
  exporting('JSON lines', 'jsonl', () => null),
  exporting('back into the CSV that gave the labels', 'csv', (place) => {
    const file = path.join(place.scratch, 'labels.csv');
    const plain = readFileSync(path.join(place.scratch, 'plain.csv'), 'utf8');
    writeFileSync(
      file,
      plain
        .split('\n')
        .map((line) => line.split(',').slice(0, 2).join(','))
        .join('\n'),
    );
    return { file, fileColumn: 'file', labelColumn: 'given' };
  }),
];

function exporting(name: string, format: 'csv' | 'jsonl', labelsOf: (place: Place) => LabelsFile | null): Operation {
  return {
    group,
    name,
    prepare: async (place) => {
      const db = openDatabase(place.project, { create: false });
      const info = { ...readProjectInfo(db)!, labels: null };
      await exportLabels(db, info, { format: 'csv', out: path.join(place.scratch, 'plain.csv'), overwrite: true });
      const labels = labelsOf(place);
      const out = path.join(place.scratch, `out.${format}`);
      return { run: () => exportLabels(db, { ...info, labels }, { format, out, overwrite: true }) };
    },
  };
}
