import path from 'node:path';
import type { ExportSummary } from '../../../../shared/api.ts';
import type { DirectClient } from '../direct-client.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine } from '../output.ts';
import { formatCount } from '../text.ts';
import { requestOf, type RequestOptions } from '../training-request.ts';
import { printExport } from './export.ts';
import { judgedSamples, type JudgedSample } from './flags.ts';
import { importWithProgress, printImport, sayProblems, type LabelsOptions } from './import.ts';
import { printFindings, trainWithProgress } from './train.ts';

export interface CleanOptions extends LabelsOptions, RequestOptions {
  out: string;
  project?: string;
  overwrite?: true;
  json?: true;
}

/** Import, train, accept the sure suggestions, export: all in one go. */
export async function cleanCommand(folder: string, options: CleanOptions): Promise<number> {
  return await withService(async (client) => {
    const project = options.project ?? (await client.call('suggestProjectPath', { folder: path.resolve(folder) })).path;
    const imported = await importWithProgress(client, folder, project, options);
    if (!options.json) printImport(imported);
    await sayProblems(client, imported.problems);

    const run = await trainWithProgress(client, requestOf(options), null);
    if (run.status !== 'done') return 1;
    const findings = await client.call('getFindings', {});
    if (findings !== null && !options.json) printFindings(findings);

    const accepted = await acceptSureSuggestions(client);
    const exported = await exportCsv(client, options.out, options.overwrite ?? false);
    if (options.json) {
      printJson({ import: imported, run, findings, accepted, export: exported });
      return 0;
    }
    printLine(`${formatCount(accepted, 'suggestion')} accepted in one step that "undo" takes back`);
    printExport(exported);
    printLine(`To review the rest: winnow serve ${imported.project.path}`);
    return 0;
  });
}

/**
 * Accepts, as one action that can be undone, each flagged and undecided sample's suggestion that the model believes more than all
 * other labels together. What is less sure is left to a person.
 */
export async function acceptSureSuggestions(client: DirectClient): Promise<number> {
  const { samples } = await judgedSamples(client, { flaggedOnly: true, limit: Infinity });
  const sampleIds = samples.filter(isSure).map(({ id }) => id);
  if (sampleIds.length > 0) await client.call('decide', { sampleIds, decision: { kind: 'accept-suggestion' } });
  return sampleIds.length;
}

export async function exportCsv(client: DirectClient, out: string, overwrite: boolean): Promise<ExportSummary> {
  return await client.call('exportLabels', { format: 'csv', out: path.resolve(out), overwrite });
}

function isSure({ state, givenClassId, finding }: JudgedSample): boolean {
  return state === 'unreviewed' && finding.suggestedClassId !== givenClassId && finding.suggestedTarget > 0.5;
}
