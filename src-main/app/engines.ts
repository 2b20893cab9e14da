import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { engineNames, type EngineChoice, type EngineName, type EngineReport } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import { enginesFor, mayBeFaster, softwareDevice } from '../engine/choice.ts';
import { findTensorflow } from '../engine/provision/find.ts';
import { startTrainerProcess } from './trainer-process.ts';
import { writeFileAtomically } from './write-file.ts';

/** Answers which engines there are and how fast; each is asked in a process of its own, as it would be used. */
export interface Engines {
  folder: string;
  list(measured: boolean): Promise<EngineReport[]>;
  /** The fastest engine that a choice allows, with its measured speed. Throws `AppError` 'engine' when there is none. */
  choose(choice: EngineChoice): Promise<MeasuredEngine>;
  /** An engine as it is here and now. Throws `AppError` 'engine' when it cannot be used. */
  describe(name: EngineName): Promise<EngineReport>;
}

export interface MeasuredEngine {
  name: EngineName;
  gflops: number;
  /** Why a better one was passed over; empty when none was. */
  passedOver: string[];
}

export function createEngines(options: { dataFolder: string; nodePath: string; trainerProgram: string }): Engines {
  const folder = path.join(options.dataFolder, 'engines');
  const speedsFile = path.join(options.dataFolder, 'engine-speeds.json');

  const probe = async (name: EngineName, measured: boolean): Promise<EngineReport> => {
    const trainer = startTrainerProcess({ nodePath: options.nodePath, program: options.trainerProgram });
    try {
      const answer = new Promise<TrainerEvent>((resolve) => trainer.onMessage(resolve));
      trainer.post({ kind: 'probe', runId: 0, engine: name, measure: measured, engineFolder: folder });
      const event = await Promise.race([answer, trainer.ended]);
      if ('kind' in event) {
        if (event.kind === 'probed') return event.engine;
        return absent(name, event.kind === 'failed' ? event.message : `unexpected answer "${event.kind}"`);
      }
      return absent(name, `its process ended (${event.signal ?? event.code ?? 'not started'}): ${event.lastWords}`);
    } finally {
      trainer.kill();
    }
  };

  const remember = async (name: EngineName, report: EngineReport | null): Promise<void> => {
    const { [speedKey(name, folder)]: _, ...others } = await readSpeeds(speedsFile);
    const speeds = report === null ? others : { ...others, [speedKey(name, folder)]: report };
    await writeFileAtomically(speedsFile, JSON.stringify(speeds, null, 1));
  };

  const measure = async (name: EngineName): Promise<EngineReport> => {
    const report = await probe(name, true);
    if (report.trainingGflops !== null) {
      const known = (await readSpeeds(speedsFile))[speedKey(name, folder)];
      // Other programs only ever make an engine look slower, so the best measurement is the one that plans are made by.
      const trainingGflops = Math.max(report.trainingGflops, known?.trainingGflops ?? 0);
      await remember(name, { ...report, trainingGflops });
    } else if (name === 'webgpu') {
      // Most machines without a usable card stay so, and looking for one would delay every training by a second.
      await remember(name, report);
    }
    return report;
  };

  /** Looks again for a card that was not there before. */
  const look = async (name: EngineName): Promise<EngineReport> => {
    const report = await probe(name, false);
    const known = (await readSpeeds(speedsFile))[speedKey(name, folder)];
    if (known?.available === false && report.available) await remember(name, null);
    return report;
  };

  return {
    folder,
    list: async (measured) => {
      const reports: EngineReport[] = [];
      // One after the other: two at once would slow each other down and spoil the measurement.
      for (const name of engineNames) reports.push(await (measured ? measure(name) : look(name)));
      return reports;
    },
    choose: async (choice) => {
      const passedOver: string[] = [];
      let best: (EngineReport & { trainingGflops: number }) | null = null;
      for (const name of enginesFor(choice)) {
        if (best !== null && !mayBeFaster(name, best)) continue;
        const known = (await readSpeeds(speedsFile))[speedKey(name, folder)];
        // What was absent may be there now; somebody who asks for it by name is worth the time to look.
        const report = known === undefined || (!known.available && choice !== 'auto') ? await measure(name) : known;
        const { trainingGflops, device, absentBecause } = report;
        if (trainingGflops === null) {
          if (best === null) passedOver.push(`${name} cannot be used: ${absentBecause ?? 'it could not be measured'}`);
        } else if (choice === 'auto' && device.startsWith(softwareDevice)) {
          if (best === null) passedOver.push(`${name} is used only when it is asked for: ${device}.`);
        } else if (best === null || trainingGflops > best.trainingGflops) {
          best = { ...report, name, trainingGflops };
        }
      }
      if (best !== null) return { name: best.name, gflops: best.trainingGflops, passedOver };
      throw new AppError('engine', `No engine can train. ${passedOver.join(' ')}`);
    },
    describe: async (name) => {
      const report = await probe(name, false);
      if (report.absentBecause !== null)
        throw new AppError('engine', `The engine ${name} cannot be used: ${report.absentBecause}`);
      return report;
    },
  };
}

/** Another library is another engine; it is measured anew. */
function speedKey(name: EngineName, folder: string): string {
  // On one core, as it was before, it was measured under its bare name.
  if (name === 'wasm') return 'wasm on all cores';
  if (name !== 'tensorflow') return name;
  const install = findTensorflow(folder);
  // Operation by operation, as it ran before, it was measured without the first words.
  return install === null ? name : `${name} as a graph ${install.version} ${install.variant} ${install.folder}`;
}

function absent(name: EngineName, reason: string): EngineReport {
  return { name, available: false, device: '', version: '', source: null, trainingGflops: null, absentBecause: reason };
}

const speedsSchema = v.record(
  v.string(),
  v.object({
    name: v.picklist(engineNames),
    available: v.boolean(),
    device: v.string(),
    version: v.string(),
    source: v.nullable(v.string()),
    trainingGflops: v.nullable(v.number()),
    absentBecause: v.nullable(v.string()),
  }),
);

/** A missing or damaged file only means that engines are measured again. */
async function readSpeeds(file: string): Promise<Record<string, EngineReport>> {
  try {
    return v.parse(speedsSchema, JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}
