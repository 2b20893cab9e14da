import { readLabels } from '../../dataset/formats/csv.ts';
import { createFileMatcher } from '../../dataset/match-files.ts';

export interface TruthOptions {
  truth: string;
  fileColumn: string;
  truthColumn: string;
}

/** The true label of every sample that the CSV names, by the sample's path; files are matched as an import matches them. */
export async function readTruth(
  { truth, fileColumn, truthColumn }: TruthOptions,
  samples: readonly { path: string }[],
  imageFolder: string,
): Promise<Map<string, string>> {
  const { byPath, byName } = createFileMatcher(samples, imageFolder);
  const rows: { file: string; label: string }[] = [];
  for await (const { file, label } of readLabels({ file: truth, fileColumn, labelColumn: truthColumn }))
    rows.push({ file, label });
  const labels = new Map<string, string>();
  const unmatched = rows.filter(({ file, label }) => {
    const sample = byPath(file);
    if (sample !== null) labels.set(sample.path, label);
    return sample === null;
  });
  const byFileName = byName(
    samples.filter(({ path }) => !labels.has(path)),
    unmatched.map(({ file }) => file),
  );
  for (const { file, label } of unmatched) {
    const sample = byFileName(file);
    if (sample !== null) labels.set(sample.path, label);
  }
  return labels;
}
