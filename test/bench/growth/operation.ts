/** Something that the app does with all samples, or with few of very many. */
export interface Operation {
  group: Group;
  /** As the table names it; unique. */
  name: string;
  /** Works on image files. */
  needsImages?: boolean;
  /** The most samples that it is measured with. */
  largest?: number;
  /** What happens before it, unmeasured. Its simulated input counts towards the peak memory, and not towards the run's own. */
  prepare(place: Place): Prepared | Promise<Prepared>;
}

export const groups = [
  'Import',
  'Opening and the queue',
  'Training, around the engine',
  'Review',
  'Likeness',
  'Export',
] as const;
export type Group = (typeof groups)[number];

/** What an operation works on. */
export interface Place {
  samples: number;
  /** A trained synthetic project of so many samples, without image files. Operations leave it as they found it, but for its history. */
  project: string;
  /** A folder of so many images by class, where an operation needs one. */
  images: string;
  /** For the operation's own files. */
  scratch: string;
}

export interface Prepared {
  /** Before every run, unmeasured. */
  before?(): unknown;
  /** What is measured. May answer the figures itself, where another process does the work. */
  run(): unknown;
  /** After every run, unmeasured. */
  after?(): unknown;
}

/** Of one run. */
export interface RunFigures {
  milliseconds: number;
  /** Milliseconds of processor time, of all threads. */
  processor: number;
  peakBytes: number;
  /** What lay in memory when it began: the process and what was prepared for it. */
  bytesBefore: number;
}

/** What the process of one operation prints. */
export interface OperationFigures {
  runs: RunFigures[];
  /** Memory of the process before it had anything to do. */
  restBytes: number;
}
