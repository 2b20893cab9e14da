import { existsSync, readFileSync, rmSync } from 'node:fs';
import process from 'node:process';
import { ensureBuild } from './build.mjs';
import { ensureChromium } from './chromium.mjs';
import { electronBinary } from './electron.mjs';
import { ensureEngine } from './engine.mjs';
import { ensurePackages } from './packages.mjs';
import { inRoot, memoryFile, say } from './place.mjs';
import { run } from './run.mjs';
import { nodeRuntime } from './runtime.mjs';
import { verify } from './verify.mjs';

/* `npm test`: set-up, the checks of `npm run verify`, all tests; ends in the line `N passed, N failed`. */

try {
  await ensurePackages();
  const node = nodeRuntime();
  await ensureEngine(node, { again: false });
  const chromium = await ensureChromium(node);
  await ensureBuild(node);

  say('\nEngines');
  await run(node, [inRoot('dist', 'main', 'cli.js'), 'engines'], { show: true, seconds: 180 });
  say(`\nChromium: ${chromium ?? 'none'}. Electron: ${electronBinary() ?? 'none, a stand-in runs its journeys'}.`);

  say('\nChecks');
  const checks = await verify(node);

  say('\nTests');
  const tests = await runTests(node, chromium);
  if (tests.skipped > 0) say(`${tests.skipped} skipped`);
  const failed = checks.failed + tests.failed;
  say(`${checks.passed + tests.passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  say('0 passed, 1 failed');
  process.exitCode = 1;
}

/** Runs vitest, which prints for people and writes the figures to a file. */
async function runTests(node, chromium) {
  const report = memoryFile('tests.json');
  rmSync(report, { force: true });
  // A process that a failed test has left behind can keep vitest from ending after it has reported.
  const giveUp = new AbortController();
  const watch = setInterval(() => {
    if (!existsSync(report)) return;
    clearInterval(watch);
    setTimeout(() => giveUp.abort(), 20_000).unref();
  }, 1000);
  const { code } = await run(
    node,
    [
      inRoot('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { show: true, signal: giveUp.signal, environment: chromium === null ? {} : { WINNOW_CHROMIUM: chromium } },
  );
  clearInterval(watch);
  if (giveUp.signal.aborted) say('vitest did not end by itself: a test has left something running.');
  return readFigures(report, code);
}

function readFigures(report, exitCode) {
  let figures;
  try {
    figures = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // A file that cannot be loaded has no failed test of its own, and an error outside tests shows in the exit code alone.
  const brokenFiles = figures.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  const failed = figures.numFailedTests + brokenFiles;
  return {
    passed: figures.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: figures.numPendingTests + figures.numTodoTests,
  };
}
