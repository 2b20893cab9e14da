import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem, type } from 'node:os';
import path from 'node:path';

const file = path.join(import.meta.dirname, '..', '..', 'docs', 'performance.md');

/** Puts what a script has measured between the marks of its command in docs/performance.md. */
export function writeIntoPerformancePage(command: string, content: string): void {
  const [begin, end] = [`<!-- ${command} -->`, `<!-- /${command} -->`];
  const text = readFileSync(file, 'utf8');
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before === -1 || after < before) throw new Error(`${file} has no place for this: ${begin} … ${end}`);
  writeFileSync(file, `${text.slice(0, before + begin.length)}\n\n${content}\n\n${text.slice(after)}`);
  console.log(`Written to ${file}.`);
}

/** The machine that figures are of, and how busy it is. */
export function describeMachine(): string {
  const loads = loadavg().map((load) => load.toFixed(1));
  return (
    `${type()}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GB; ` +
    `load ${loads.join(', ')} (1, 5, 15 minutes) at the end`
  );
}
