import path from 'node:path';
import type { ExportRequest, ExportSummary } from '../../../../shared/api.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine } from '../output.ts';
import { formatNumber } from '../text.ts';

export interface ExportOptions {
  format: ExportRequest['format'];
  out: string;
  overwrite?: true;
  json?: true;
}

export async function exportCommand(project: string, { format, out, overwrite, json }: ExportOptions): Promise<number> {
  return await withService(async (client) => {
    await client.call('openProject', { path: path.resolve(project) });
    const summary = await client.call('exportLabels', {
      format,
      out: path.resolve(out),
      overwrite: overwrite ?? false,
    });
    if (json) printJson(summary);
    else printExport(summary);
    return 0;
  });
}

export function printExport({ out, written, relabeled, dropped }: ExportSummary): void {
  printLine(
    `${out}: ${formatNumber(written)} labels written, ${formatNumber(relabeled)} relabeled, ${formatNumber(dropped)} dropped`,
  );
}
