import process from 'node:process';
import type { Logger } from '../../../shared/logger.ts';

/** For people at a terminal: standard output belongs to results, so the log goes to standard error; `info` only when WINNOW_LOG asks for it. */
export function createCliLogger(): Logger {
  const isVerbose = process.env.WINNOW_LOG === 'info';
  const write = (level: string, message: string): void => {
    process.stderr.write(`winnow: ${level}${message}\n`);
  };
  return {
    info: (message) => {
      if (isVerbose) write('', message);
    },
    warn: (message) => write('warning: ', message),
    error: (message, error) => write('error: ', error === undefined ? message : `${message}: ${describe(error)}`),
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
