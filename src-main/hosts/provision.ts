import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { provisionTensorflow } from '../engine/provision/provision.ts';
import type { ProvisionProgress } from '../engine/provision/sources.ts';
import type { TensorflowInstall, TensorflowVariant } from '../engine/provision/layout.ts';
import { dataFolder } from './paths.ts';

/*
 * Run by set-up: fetches TensorFlow into the user's engine cache, with CUDA where there is an NVIDIA driver. Progress goes to
 * standard error for people; the last line of standard output is the result as JSON.
 */

const result = await provision();
process.stdout.write(`${JSON.stringify(result)}\n`);

async function provision(): Promise<TensorflowInstall | { absentBecause: string }> {
  const engineFolder = path.join(dataFolder(), 'engines');
  const onProgress = createProgressPrinter();
  const variants: TensorflowVariant[] = hasNvidiaDriver() ? ['gpu', 'cpu'] : ['cpu'];
  let result: TensorflowInstall | { absentBecause: string } = { absentBecause: '' };
  for (const variant of variants) {
    result = await provisionTensorflow({ engineFolder, variant, onProgress });
    if (!('absentBecause' in result)) return result;
    if (variant === 'gpu')
      process.stderr.write(
        `TensorFlow for CUDA: ${result.absentBecause}; the one for the processor is used instead.\n`,
      );
  }
  return result;
}

/** Bars that overwrite themselves on a terminal, and a line per tenth elsewhere. */
function createProgressPrinter(): (progress: ProvisionProgress) => void {
  let shownTenth = -1;
  let open = false;
  return (progress) => {
    if (progress.kind === 'step') {
      process.stderr.write(`${open ? '\n' : ''}  ${progress.message}\n`);
      open = false;
      shownTenth = -1;
      return;
    }
    const { name, bytes, total } = progress;
    const tenth = total === null ? Math.floor(bytes / 50e6) : Math.floor((10 * bytes) / total);
    const amount = `${megabytes(bytes)}${total === null ? '' : ` of ${megabytes(total)}`} MB`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r  ${name}: ${amount} `);
      open = true;
    } else if (tenth !== shownTenth) {
      process.stderr.write(`  ${name}: ${amount}\n`);
    }
    shownTenth = tenth;
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function hasNvidiaDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version') || existsSync('/usr/lib/wsl/lib/libcuda.so.1');
}
