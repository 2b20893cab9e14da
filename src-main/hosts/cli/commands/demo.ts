import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { TrainingRequest } from '../../../../shared/api.ts';
import type { ClassSummary } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import { drawDemo } from '../../../dataset/demo.ts';
import type { DirectClient } from '../direct-client.ts';
import { withService } from '../direct-client.ts';
import { printLine } from '../output.ts';
import { createProgress } from '../progress.ts';
import { renderReport, type ReportPicture } from '../report.ts';
import { formatCount, formatDuration, formatNumber, formatPercent } from '../text.ts';
import { requestOf } from '../training-request.ts';
import { acceptSureSuggestions, exportCsv } from './clean.ts';
import { evaluateSamples, printEvaluation } from './evaluate.ts';
import { judgedSamples, printFlags, toFlag, type JudgedSample } from './flags.ts';
import { importWithProgress, printImport } from './import.ts';
import { trainWithProgress } from './train.ts';

export interface DemoOptions extends Pick<TrainingRequest, 'engine' | 'seed'> {
  out: string;
}

/** Seconds of training that leave the whole demo under three minutes. */
const longestTraining = 160;
const flagsPrinted = 10;
const picturesInReport = 60;

/** Draws pictures with wrong labels that it knows, cleans them, and compares. */
export async function demoCommand({ out, engine, seed }: DemoOptions): Promise<number> {
  const folder = path.resolve(out);
  requireEmptyFolder(folder);
  const began = performance.now();
  const images = path.join(folder, 'images');
  const truth = await drawPictures(folder, images, seed);
  return await withService(async (client) => {
    const project = path.join(folder, 'demo.winnow');
    const imported = await importWithProgress(client, images, project, { fileColumn: 'file', labelColumn: 'label' });
    printImport(imported);
    const { classes } = imported.project;
    const balanced = await client.call('planTraining', requestOf({ budget: 'balanced', engine, seed }));
    const budget = balanced.expectedSeconds <= longestTraining ? 'balanced' : 'quick';
    const run = await trainWithProgress(client, requestOf({ budget, engine, seed }), null);
    if (run.status !== 'done') return 1;

    const { samples } = await judgedSamples(client, { flaggedOnly: false, limit: Infinity });
    const evaluation = evaluateSamples(samples, classes, truth);
    printLine('\nFound against the truth');
    printEvaluation(evaluation);
    const doubts = samples.slice(0, picturesInReport);
    printLine(`\nThe ${flagsPrinted} labels it doubts most`);
    printFlags(
      doubts.slice(0, flagsPrinted).map((sample) => toFlag(sample, classes)),
      flagsPrinted,
    );

    const wrongBefore = await countWrong(client, truth);
    const accepted = await acceptSureSuggestions(client);
    const wrongAfter = await countWrong(client, truth);
    const total = evaluation.samples;
    printLine(`\n${formatCount(accepted, 'sure suggestion')} accepted`);
    printLine(
      `wrong labels: ${formatNumber(wrongBefore)} (${formatPercent(wrongBefore / total)}) before, ` +
        `${formatNumber(wrongAfter)} (${formatPercent(wrongAfter / total)}) after`,
    );

    const cleaned = path.join(folder, 'cleaned.csv');
    await exportCsv(client, cleaned, false);
    const report = path.join(folder, 'report.html');
    const pictures = await Promise.all(doubts.map((sample) => toReportPicture(client, sample, classes, truth)));
    writeFileSync(report, renderReport({ evaluation, wrongBefore, wrongAfter, accepted, pictures }), { flag: 'wx' });
    printLine(`\ncleaned labels: ${cleaned}\nreport: ${report}\nproject: ${project} (winnow serve opens it)`);
    printLine(`${formatDuration((performance.now() - began) / 1000)} in all`);
    return 0;
  });
}

/** The true label of every picture, by its path. */
async function drawPictures(folder: string, images: string, seed: number): Promise<Map<string, string>> {
  const progress = createProgress('Drawing', process.stderr);
  try {
    return await drawDemo({
      folder: images,
      truthFile: path.join(folder, 'truth.csv'),
      seed,
      onProgress: (done, total) =>
        progress.update({
          fraction: done / total,
          text: `${formatNumber(done)} of ${formatNumber(total)} pictures`,
          secondsLeft: null,
        }),
    });
  } finally {
    progress.end();
  }
}

async function toReportPicture(
  client: DirectClient,
  sample: JudgedSample,
  classes: ClassSummary[],
  truth: ReadonlyMap<string, string>,
): Promise<ReportPicture> {
  const image = await client.readImage(sample.id, 'thumbnail');
  if (image === null) throw new AppError('images-missing', `${sample.path} cannot be read any more.`);
  const { contentType, bytes } = image;
  return {
    ...toFlag(sample, classes),
    truth: truth.get(sample.path) ?? '',
    image: { contentType, base64: Buffer.from(bytes).toString('base64') },
  };
}

/** Images whose label, after the decisions made so far, is not the true one. */
async function countWrong(client: DirectClient, truth: ReadonlyMap<string, string>): Promise<number> {
  const classes = (await client.call('getProject', {}))?.classes ?? [];
  const nameById = new Map(classes.map(({ id, name }) => [id, name]));
  const { samples } = await judgedSamples(client, { flaggedOnly: false, limit: Infinity });
  return samples.filter(
    ({ currentClassId, path: file }) => currentClassId !== null && nameById.get(currentClassId) !== truth.get(file),
  ).length;
}

/** Nothing of the user's is ever overwritten. */
function requireEmptyFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0)
    throw new AppError('export', `${folder} is not empty. Name a new folder with --out.`);
}
