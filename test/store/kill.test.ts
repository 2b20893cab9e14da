import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src-main/store/database.ts';
import { undo } from '../../src-main/store/history.ts';
import { countReview } from '../../src-main/store/reviews.ts';
import { takeTrainingLock } from '../../src-main/store/training-lock.ts';
import { projectWith } from './fixtures.ts';

const samples = 20_000;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-kill-'));
  file = path.join(folder, 'project.winnow');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('keeps every decision that was answered, and can undo them all, after kill -9', async () => {
  const paths = Array.from({ length: samples }, (_, i) => `class${i % 2}/${i}.jpg`);
  projectWith(paths, openDatabase(file, { create: true })).close();

  let shown = 0;
  for (let round = 0; round < 2; round++) {
    // The second process first meets the decisions of the first, which change nothing any more.
    shown = await decideUntilKilled(shown + 40);
    const db = openDatabase(file, { create: false });
    const { confirmed, dropped } = countReview(db);
    // At most the one decision whose answer was still on its way is there besides.
    expect(confirmed + dropped - shown).toBeOneOf([0, 1]);
    shown = confirmed + dropped;
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    db.close();
  }

  const db = openDatabase(file, { create: false });
  for (let left = shown; left > 0; left--) expect(undo(db)?.direction).toBe('undone');
  expect(countReview(db).unreviewed).toBe(samples);
  db.close();
});

it('frees the training lock of a process that was killed', async () => {
  const lock = new URL('../../src-main/store/training-lock.ts', import.meta.url).href;
  // The lock is kept in a global: without a reference it would be collected, and with it the database that holds it.
  const script = `const { takeTrainingLock } = await import(${JSON.stringify(lock)}); globalThis.lock = takeTrainingLock(${JSON.stringify(file)}); console.log(globalThis.lock !== null); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const answer = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data: Buffer) => resolve(data.toString())),
  );
  expect([answer.trim(), takeTrainingLock(file)]).toEqual(['true', null]);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const own = takeTrainingLock(file);
  expect([own === null, takeTrainingLock(file)]).toEqual([false, null]);
  own?.release();
});

/** The last decision that the process has reported as saved before it was killed. */
function decideUntilKilled(least: number): Promise<number> {
  const program = path.join(import.meta.dirname, 'deciding-process.ts');
  const child = spawn(process.execPath, [program, file, String(samples)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let killed = false;
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (killed || lines(output).length < least) return;
      killed = child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(Number(lines(output).at(-1)));
      else reject(new Error(`The process ended by itself: ${output}`));
    });
  });
}

function lines(output: string): string[] {
  // What follows the last line break may be cut off.
  return output.split('\n').slice(0, -1);
}
