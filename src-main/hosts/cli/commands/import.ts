import path from 'node:path';
import process from 'node:process';
import type { ImportSummary, LabelsFile } from '../../../../shared/api.ts';
import type { DirectClient } from '../direct-client.ts';
import { withService } from '../direct-client.ts';
import { withInterrupt } from '../interrupt.ts';
import { printJson, printLine, say } from '../output.ts';
import { createProgress } from '../progress.ts';
import { formatCount, formatDuration, formatNumber, printable } from '../text.ts';

export interface LabelsOptions {
  labels?: string;
  fileColumn: string;
  labelColumn: string;
}

export interface ImportOptions extends LabelsOptions {
  project: string;
  json?: true;
}

const problemsShown = 10;

export async function importCommand(folder: string, options: ImportOptions): Promise<number> {
  return await withService(async (client) => {
    const summary = await importWithProgress(client, folder, options.project, options);
    if (options.json) printJson(summary);
    else printImport(summary);
    await sayProblems(client, summary.problems);
    return 0;
  });
}

/** Imports and leaves the project open; Ctrl+C cancels. */
export async function importWithProgress(
  client: DirectClient,
  folder: string,
  project: string,
  labels: LabelsOptions,
): Promise<ImportSummary> {
  const progress = createProgress('Importing', process.stderr);
  const unsubscribe = client.subscribe('importProgress', ({ phase, done, total, imagesPerSecond, secondsLeft }) => {
    const counted = total === null ? formatNumber(done) : `${formatNumber(done)} of ${formatNumber(total)}`;
    const rate = imagesPerSecond > 0 ? `, ${formatNumber(Math.round(imagesPerSecond))} per second` : '';
    progress.update({ fraction: total ? done / total : null, text: `${phase} ${counted} images${rate}`, secondsLeft });
  });
  try {
    return await withInterrupt(
      () => void client.call('cancelImport', {}),
      () =>
        client.call('importFolder', {
          folder: path.resolve(folder),
          projectPath: path.resolve(project),
          labels: toLabelsFile(labels),
        }),
    );
  } finally {
    unsubscribe();
    progress.end();
  }
}

export function printImport(summary: ImportSummary): void {
  const { project, added, changed, moved, gone, unchanged, problems, conflictingDuplicates, seconds } = summary;
  printLine(
    `${project.path}: ${formatCount(project.samples, 'image')} of ${project.classes.length} classes, read in ${formatDuration(seconds)}`,
  );
  const changes = Object.entries({ added, changed, moved, gone, unchanged }).filter(([, count]) => count > 0);
  if (changes.length > 0) printLine(changes.map(([name, count]) => `${formatNumber(count)} ${name}`).join(', '));
  if (conflictingDuplicates > 0) {
    printLine(`${formatCount(conflictingDuplicates, 'pair')} of files with the same content but different labels`);
  }
  if (problems > 0) printLine(`${formatCount(problems, 'file')} with a problem`);
}

/** Names the first problems, so that nobody has to open the app to learn what was left out. */
export async function sayProblems(client: DirectClient, count: number): Promise<void> {
  if (count === 0) return;
  const { total, problems } = await client.call('listProblems', { offset: 0, limit: problemsShown });
  for (const problem of problems) say(`${problem.severity}: ${printable(problem.path)}: ${problem.reason}`);
  if (total > problems.length) say(`… and ${formatNumber(total - problems.length)} more`);
}

function toLabelsFile({ labels, fileColumn, labelColumn }: LabelsOptions): LabelsFile | null {
  return labels === undefined ? null : { file: path.resolve(labels), fileColumn, labelColumn };
}
