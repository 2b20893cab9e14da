import { spawn } from 'node:child_process';
import { root } from './place.mjs';

/**
 * Runs a program in the checkout without a shell.
 * @param {{ show?: boolean, showErrors?: boolean, seconds?: number, signal?: AbortSignal, environment?: Record<string, string>, shell?: boolean }} options
 *   `show` passes its output on as it comes, `showErrors` only standard error; otherwise it is collected
 * @returns {Promise<{ code: number, output: string, stdout: string, timedOut: boolean }>} `code` is 127 when it could not be started
 */
export function run(program, programArguments, options = {}) {
  const { show = false, showErrors = false, seconds = 0, signal, environment = {}, shell = false } = options;
  return new Promise((resolve) => {
    const child = spawn(program, programArguments, {
      cwd: root,
      stdio: show ? 'inherit' : ['ignore', 'pipe', showErrors ? 'inherit' : 'pipe'],
      // What is collected is searched for its message, without colours.
      env: { ...process.env, ...(show ? {} : { NO_COLOR: '1', FORCE_COLOR: '0' }), ...environment },
      shell,
      signal,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let stdout = '';
    let timedOut = false;
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => (output += chunk));
    const timer =
      seconds > 0
        ? setTimeout(() => {
            timedOut = true;
            child.kill('SIGKILL');
          }, seconds * 1000)
        : undefined;
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: error.message, stdout, timedOut });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output, stdout, timedOut });
    });
  });
}

/** Becomes another program, as far as Node can: the same terminal, signals passed on, the same exit code. */
export function become(program, programArguments, environment = {}) {
  const child = spawn(program, programArguments, { stdio: 'inherit', env: { ...process.env, ...environment } });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    process.stderr.write(`${program} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** The line of an output that says most about a failure. */
export function failureLine(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  return lines.find((line) => /\b(error|failed|unable)\b/i.test(line)) ?? lines.at(-1) ?? 'it gave no reason';
}
