import { batchesOf } from '../../dataset/batches.ts';
import { readLabels } from '../../dataset/formats/csv.ts';
import { matchRows } from '../../dataset/label-rows.ts';
import { withStaging } from '../../store/import-staging.ts';

export interface TruthOptions {
  truth: string;
  fileColumn: string;
  truthColumn: string;
}

/**
 * The true label of every sample that the CSV names, by the sample's path. Files are matched as an import matches them: of several rows for
 * one, the first counts.
 */
export async function readTruth(
  { truth, fileColumn, truthColumn }: TruthOptions,
  samples: readonly { path: string }[],
  imageFolder: string,
): Promise<Map<string, string>> {
  return await withStaging(async (staging) => {
    for await (const batch of batchesOf(samples)) staging.addPaths(batch.map(({ path }) => path));
    await matchRows(staging, imageFolder, readLabels({ file: truth, fileColumn, labelColumn: truthColumn }));
    staging.labelFiles();
    staging.dropUnlabeledFiles();
    return new Map(Array.from(staging.files(), ({ path, givenClass }) => [path, givenClass]));
  });
}
