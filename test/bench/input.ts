/*
 * How long training steps wait for their pixels: the trainer's own loop on the images of a folder (a folder for each class), every epoch
 * with its images per second and the share of its time that was spent waiting.
 * usage: node test/bench/input.ts FOLDER [--resolution 96] [--epochs 6] [--engine tensorflow]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { EngineName } from '../../shared/domain.ts';
import { writePixelFile } from '../../src-main/dataset/pixels.ts';

import { loadEngine } from '../../src-main/engine/engines.ts';
import { dataFolder } from '../../src-main/hosts/paths.ts';
import { waits } from '../../src-main/trainer/batches.ts';
import { train } from '../../src-main/trainer/train.ts';
import { scan } from '../support/scan.ts';
import { usualSettings } from '../trainer/trainer-run.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    resolution: { type: 'string', default: '96' },
    epochs: { type: 'string', default: '6' },
    engine: { type: 'string', default: 'tensorflow' },
  },
});
const folder = path.resolve(positionals[0] ?? '');
const [resolution, epochs] = [Number(values.resolution), Number(values.epochs)];
const engine = values.engine as EngineName;
const work = await mkdtemp(path.join(tmpdir(), 'winnow-bench-'));
try {
  const { files } = await scan({ folder, labels: null });
  const pixels = { path: path.join(work, 'bench.pixels'), samples: files.length, resolution };
  const started = performance.now();
  const paths = files.map((file) => path.join(folder, file.path));
  await writePixelFile({ files: paths, count: paths.length, resolution, path: pixels.path });
  const rate = (1000 * files.length) / (performance.now() - started);
  console.log(`${files.length} images decoded to ${resolution} pixels: ${rate.toFixed(0)} images/s`);
  const classes = [...new Set(files.map((file) => file.givenClass))];
  const engineFolder = path.join(dataFolder(), 'engines');
  const loaded = await loadEngine(engine, engineFolder);
  console.log(`${loaded.name} ${loaded.version}, ${loaded.device}; compact network, width 24, batch 128`);
  let waited = 0;
  waits.subscribe((milliseconds) => (waited += milliseconds as number));
  let epochStarted = performance.now();
  await train(
    {
      kind: 'train',
      runId: 1,
      settings: {
        ...usualSettings(engine),
        width: 24,
        batchSize: 128,
        resolution,
        classes: classes.length,
        epochs,
        startEpoch: Math.min(2, epochs),
      },
      labels: Int32Array.from(files, (file) => classes.indexOf(file.givenClass)),
      pixels,
      heldOut: null,
      startWeights: null,
      weightsFile: null,
      checkpoint: null,
      embed: false,
      engineFolder,
    },
    loaded,
    {
      report: (event) => {
        if (event.kind !== 'epoch') return;
        const milliseconds = performance.now() - epochStarted;
        const share = ((100 * waited) / milliseconds).toFixed(2);
        console.log(`epoch ${event.epoch + 1}: ${event.imagesPerSecond.toFixed(0)} images/s, ${share} % waiting`);
        [waited, epochStarted] = [0, performance.now()];
      },
      isStopped: () => false,
      whenStored: () => Promise.resolve(),
    },
  );
} finally {
  await rm(work, { recursive: true });
}
// The engine's threads would keep the process alive.
process.exit(0);
