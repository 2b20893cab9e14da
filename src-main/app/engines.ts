import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { engineNames, type EngineChoice, type EngineName, type EngineReport } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import { enginesFor } from '../engine/choice.ts';
import { findTensorflow } from '../engine/provision/find.ts';
import { startTrainerProcess } from './trainer-process.ts';
import { writeFileAtomically } from './write-file.ts';

/** Answers which engines there are and how fast; each is asked in a process of its own, as it would be used. */
export interface Engines {
  folder: string;
  list(measured: boolean): Promise<EngineReport[]>;
  /** The best engine that a choice allows, with its measured speed. Throws `AppError` 'engine' when there is none. */
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

  const measure = async (name: EngineName): Promise<EngineReport> => {
    const report = await probe(name, true);
    if (report.trainingGflops !== null) {
      const known = await readSpeeds(speedsFile);
      const key = speedKey(name, folder);
      // Other programs only ever make an engine look slower, so the best measurement is the one that plans are made by.
      const trainingGflops = Math.max(report.trainingGflops, known[key]?.trainingGflops ?? 0);
      const speeds = { ...known, [key]: { ...report, trainingGflops } };
      await writeFileAtomically(speedsFile, JSON.stringify(speeds, null, 1));
    }
    return report;
  };

  return {
    folder,
    list: async (measured) => {
      const reports: EngineReport[] = [];
      // One after the other: two at once would slow each other down and spoil the measurement.
      for (const name of engineNames) reports.push(await (measured ? measure(name) : probe(name, false)));
      return reports;
    },
    choose: async (choice) => {
      const passedOver: string[] = [];
      for (const name of enginesFor(choice)) {
        const known = (await readSpeeds(speedsFile))[speedKey(name, folder)];
        const report = known ?? (await measure(name));
        if (report.trainingGflops !== null) return { name, gflops: report.trainingGflops, passedOver };
        passedOver.push(`${name} cannot be used: ${report.absentBecause ?? 'it could not be measured'}`);
      }
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
  if (name !== 'tensorflow') return name;
  const install = findTensorflow(folder);
  return install === null ? name : `${name} ${install.version} ${install.variant} ${install.folder}`;
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
