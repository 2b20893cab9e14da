import { spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../../../shared/result.ts';

export type ProgramOutcome =
  | { kind: 'exited'; code: number; output: string }
  /** It could not be started, was killed, or took longer than allowed. */
  | { kind: 'failed'; because: string; output: string };

/** Runs a program without a shell; `onOutput` sees what it writes, both streams together, as it comes. */
export async function runProgram(
  program: string,
  programArguments: readonly string[],
  options: { seconds: number; environment?: Record<string, string>; onOutput?: (text: string) => void },
): Promise<ProgramOutcome> {
  const child = spawn(program, programArguments, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    windowsHide: true,
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    const text = chunk.toString('utf8');
    output += text;
    options.onOutput?.(text);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);

  const ended = new AbortController();
  const exit = new Promise<ProgramOutcome>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'failed', because: errorMessage(error), output }));
    child.once('close', (code, signal) =>
      resolve(
        code === null
          ? { kind: 'failed', because: `it was ended by ${signal ?? 'a signal'}`, output }
          : { kind: 'exited', code, output },
      ),
    );
  });
  const limit = delay(options.seconds * 1000, null, { signal: ended.signal }).then(
    (): ProgramOutcome => {
      child.kill('SIGKILL');
      return { kind: 'failed', because: `it took longer than ${options.seconds} s`, output };
    },
    () => exit,
  );
  const outcome = await Promise.race([exit, limit]);
  ended.abort();
  return outcome;
}

/** The last lines of a program's output that say something, for a message. */
export function lastWords(output: string, lines = 2): string {
  return output
    .split(/\r?\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-lines)
    .join(' ');
}
