import process from 'node:process';
import { CommanderError } from 'commander';
import { AppError, errorMessage } from '../../../shared/result.ts';
import { programPaths } from '../paths.ts';
import { say } from './output.ts';
import { createProgram } from './program.ts';

/* `winnow` on the command line. Exit codes: 0 done, 1 failed, 2 wrong usage. */

const failed = 1;
const wrongUsage = 2;

// `winnow flags … | head` closes the pipe early; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv);

async function run(argv: string[]): Promise<number> {
  let code = 0;
  try {
    const program = createProgram(programPaths().version, (value) => {
      code = value;
    });
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  // Commander has printed its message, or the help that was asked for, by itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsage;
  if (error instanceof AppError && error.code !== 'internal') {
    say(`winnow: ${error.message}`);
    return error.code === 'invalid-input' ? wrongUsage : failed;
  }
  say(`winnow: ${error instanceof Error ? (error.stack ?? error.message) : errorMessage(error)}`);
  return failed;
}
