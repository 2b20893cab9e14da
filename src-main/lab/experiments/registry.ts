import type { Experiment } from '../experiment.ts';
import { doubleDescent } from './double-descent.ts';
import { linearProbe } from './linear-probe.ts';
import { noise } from './noise.ts';
import { robust } from './robust.ts';
import { selective } from './selective.ts';

/** All experiments, in the order of the command line. */
export const experiments: readonly Experiment[] = [noise, selective, robust, doubleDescent, linearProbe];
