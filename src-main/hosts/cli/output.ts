import process from 'node:process';

/* Results go to standard output, everything else to standard error, so that output can be piped. */

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, null, 2));
}

/** One document per line. */
export function printJsonLine(value: unknown): void {
  printLine(JSON.stringify(value));
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
