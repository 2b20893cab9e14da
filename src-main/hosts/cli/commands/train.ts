import path from 'node:path';
import process from 'node:process';
import type { TrainingEvent, TrainingRequest } from '../../../../shared/api.ts';
import type { EpochReport, FindingsSummary, RunSummary, TrainingPlan } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import { requireSameInputs } from '../../../domain/plan.ts';
import { recipeByName } from '../../../sat/recipes/registry.ts';
import type { DirectClient } from '../direct-client.ts';
import { withService } from '../direct-client.ts';
import { withInterrupt } from '../interrupt.ts';
import { printJsonLine, printLine, say } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';
import { formatCount, formatDuration, formatNumber, formatPercent } from '../text.ts';
import { requestOf, type RequestOptions } from '../training-request.ts';

export interface TrainOptions extends RequestOptions {
  /** Recipe of a second run that starts from the encoder of the first. */
  then?: string;
  /** Goes on with a run instead of starting one. */
  resume?: true;
  json?: true;
}

export async function trainCommand(project: string, options: TrainOptions): Promise<number> {
  return await withService(async (client) => {
    await client.call('openProject', { path: path.resolve(project) });
    const onEvent = options.json ? printJsonLine : null;
    const run = options.resume
      ? await resumeWithProgress(client, onEvent)
      : await startAsAsked(client, options, onEvent);
    const findings = await client.call('getFindings', {});
    const isEncoder = recipeByName(run.plan.recipe)?.gives === 'encoder';
    if (options.json) printJsonLine({ kind: 'findings', findings: isEncoder ? null : findings });
    else if (isEncoder) printEncoder(run, project);
    else if (findings !== null) printFindings(findings);
    return run.status === 'done' ? 0 : 1;
  });
}

type OnEvent = ((event: TrainingEvent | { kind: 'plan'; plan: TrainingPlan }) => void) | null;

/** The run that the options describe, and the one of --then after it. */
async function startAsAsked(client: DirectClient, options: TrainOptions, onEvent: OnEvent): Promise<RunSummary> {
  const first = requestOf(options);
  const second = secondOf(options);
  if (second !== null) await requirePlannable(client, first, second);
  const run = await trainWithProgress(client, first, onEvent);
  return second !== null && run.status === 'done'
    ? await trainWithProgress(client, { ...second, startFrom: run.id }, onEvent)
    : run;
}

/** Goes on with the run that can, and waits for its end. */
async function resumeWithProgress(client: DirectClient, onEvent: OnEvent): Promise<RunSummary> {
  const run = await client.call('getResumableRun', {});
  if (run === null) {
    throw new AppError(
      'not-found',
      'There is no training to go on with: none was paused or interrupted, or its saved state is gone. Start one without --resume.',
    );
  }
  if (onEvent === null) {
    say(
      `Run ${run.id} goes on in epoch ${run.epochs.length + 1} of ${run.plan.epochs}, on the images and labels that it began with; ` +
        'what was decided since counts in the next training.',
    );
  }
  return await followWithProgress(client, run.plan, onEvent, () => client.call('resumeTraining', { runId: run.id }));
}

/** The run of --then, which starts from one that does not exist yet; null without that option. */
function secondOf({ budget, engine, seed, then: recipe }: TrainOptions): TrainingRequest | null {
  return recipe === undefined ? null : requestOf({ budget, engine, seed, recipe });
}

/** Throws what would keep either run from being planned, before the first one takes its time. */
async function requirePlannable(client: DirectClient, first: TrainingRequest, second: TrainingRequest): Promise<void> {
  const [before, after] = [recipeByName(first.recipe), recipeByName(second.recipe)];
  if (before !== null && after !== null) requireSameInputs(before, after);
  await client.call('planTraining', first);
  await client.call('planTraining', second);
  const { preset, overrides } = first;
  const byHand = Object.entries({ preset, ...overrides }).filter(([, value]) => value !== null);
  if (byHand.length === 0) return;
  const names = byHand.map(([name]) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  say(
    `${names.join(', ')}: for the first run (${first.recipe}) only; the second (${second.recipe}) is planned by the budget.`,
  );
}

/**
 * Plans, trains and waits for the end. Ctrl+C pauses the run. `onEvent` is given the plan and every event, for machines; with null a
 * person sees the plan and a bar. Throws when the run fails.
 */
export async function trainWithProgress(
  client: DirectClient,
  request: TrainingRequest,
  onEvent: OnEvent,
): Promise<RunSummary> {
  const plan = await client.call('planTraining', request);
  if (onEvent === null) sayPlan(plan);
  else onEvent({ kind: 'plan', plan });
  return await followWithProgress(client, plan, onEvent, () => client.call('startTraining', request));
}

async function followWithProgress(
  client: DirectClient,
  plan: TrainingPlan,
  onEvent: OnEvent,
  begin: () => Promise<RunSummary>,
): Promise<RunSummary> {
  const progress = createProgress('Training', process.stderr);
  let notesSaid = 0;
  const { promise: ended, resolve: onEnded } = Promise.withResolvers<RunSummary>();
  const unsubscribe = client.subscribe('training', (event) => {
    onEvent?.(event);
    if (onEvent === null) showEvent(event, plan, progress);
    if (event.kind === 'changed') {
      if (onEvent === null) for (const note of event.run.notes.slice(notesSaid)) progress.note(note);
      notesSaid = event.run.notes.length;
    }
    if (event.kind === 'ended') onEnded(event.run);
  });
  try {
    const run = await withInterrupt(
      () => {
        progress.note('Pausing …');
        void client.call('pauseTraining', {});
      },
      async () => {
        const begun = await begin();
        notesSaid = begun.notes.length;
        return await ended;
      },
    );
    if (run.status === 'failed' || run.status === 'interrupted')
      throw new AppError('trainer', run.error ?? 'The training failed without saying why.');
    if (run.status !== 'done') {
      const project = await client.call('getProject', {});
      say(stoppedMessage(run, project?.path ?? '<project>'));
    }
    return run;
  } finally {
    unsubscribe();
    progress.end();
  }
}

export function printFindings({
  epoch,
  flagged,
  cut,
  noiseRate,
  expectedPrecision,
  expectedRecall,
}: FindingsSummary): void {
  printLine(
    `${formatCount(flagged.value, 'image')} flagged after ${formatCount(epoch + 1, 'epoch')} (score ${cut.value.toFixed(3)} and above); ` +
      `about ${formatPercent(noiseRate.value)} of the labels look wrong`,
  );
  printLine(
    `expected: ${formatPercent(expectedPrecision.value)} of the flagged labels are wrong, ` +
      `${formatPercent(expectedRecall.value)} of the wrong labels are flagged`,
  );
}

function printEncoder({ id, epochs }: RunSummary, project: string): void {
  if (epochs.length === 0) return;
  printLine(`Run ${id} left an encoder. To train from it: winnow train ${project} --recipe sat --start-from ${id}`);
}

function sayPlan(plan: TrainingPlan): void {
  const adapting = plan.startEpoch < plan.epochs ? `targets adapt from epoch ${plan.startEpoch + 1}` : 'fixed targets';
  say(
    `Plan: ${plan.recipe} with ${plan.engine}, ${formatCount(plan.samples, 'image')} of ${plan.classes} classes at ${plan.resolution} × ${plan.resolution} pixels, ` +
      `network ${plan.network} of width ${plan.width}, ${formatCount(plan.epochs, 'epoch')} (${adapting}), about ${formatDuration(plan.expectedSeconds)}`,
  );
  for (const reason of plan.reasons) say(`  ${reason}`);
}

function showEvent(event: TrainingEvent, plan: TrainingPlan, progress: Progress): void {
  switch (event.kind) {
    case 'preparing':
      progress.update({
        fraction: event.total > 0 ? event.done / event.total : null,
        text: `preparing ${formatNumber(event.done)} of ${formatNumber(event.total)} images`,
        secondsLeft: null,
      });
      break;
    case 'batch':
      progress.update({
        fraction: (event.epoch + event.fraction) / plan.epochs,
        text: `epoch ${event.epoch + 1} of ${plan.epochs}, loss ${event.loss.toFixed(3)}, ${formatNumber(Math.round(event.imagesPerSecond))} images/s`,
        secondsLeft: event.secondsLeft,
      });
      break;
    case 'epoch':
      progress.note(epochLine(event.report, plan));
      break;
    case 'changed':
      // Its notes are said where the run is followed.
      break;
    case 'ended':
      progress.end();
  }
}

function epochLine(report: EpochReport, plan: TrainingPlan): string {
  const width = String(plan.epochs).length;
  return [
    `epoch ${String(report.epoch + 1).padStart(width)}/${plan.epochs}`,
    `loss ${report.loss.toFixed(3)}`,
    ...(report.accuracy === null
      ? []
      : [`agreement ${formatPercent(report.accuracy)}`, `${formatNumber(report.doubts)} doubts`]),
    ...(report.spread === null ? [] : [`spread ${report.spread.toFixed(2)}`]),
    `${formatNumber(Math.round(report.imagesPerSecond))} images/s`,
    `${formatDuration(report.secondsLeft)} left`,
  ].join('  ');
}

function stoppedMessage({ epochs: { length }, plan, canResume }: RunSummary, project: string): string {
  const kept =
    length === 0
      ? 'Paused before the first epoch ended; there is nothing to review yet.'
      : `Paused after ${formatCount(length, 'epoch')} of ${plan.epochs}; what was learned until then can be reviewed.`;
  return canResume ? `${kept} To go on: winnow train ${project} --resume` : kept;
}
