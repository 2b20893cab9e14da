import type { Preparation } from '../../shared/api.ts';
import type { Prepared } from '../../shared/domain.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError } from '../../shared/result.ts';

/** What is answered for something that is not there yet. */
export type NotReady = Exclude<Prepared<never>, { status: 'ready' }>;

/** Makes something and stores it where the next question finds it. Rejects when the signal is aborted. */
export type Work = (context: { signal: AbortSignal; report: (done: number, total: number) => void }) => Promise<void>;

/** Things of one open project that take a while to be made: each is made when it is first asked for, and never twice at once. */
export interface Preparations {
  /**
   * How far it is; starts it when it is not under way. `key` says from what it is made: another key ends what is under way and starts
   * anew. A failure is answered for its key from then on, so that windows that ask again do not repeat it for ever.
   */
  ask(what: Preparation['what'], key: string, work: Work): NotReady;
  /** Ends whatever is under way. */
  close(): Promise<void>;
}

interface Job {
  key: string;
  done: number;
  total: number;
  failure: string | null;
  abort: AbortController;
  finished: Promise<void>;
}

/** Progress is announced at most so often, in milliseconds. */
const announceInterval = 200;

export function createPreparations(emit: (preparation: Preparation) => void, logger: Logger): Preparations {
  const jobs = new Map<Preparation['what'], Job>();

  function start(what: Preparation['what'], key: string, work: Work, previous: Job | undefined): Job {
    const abort = new AbortController();
    const { signal } = abort;
    let announcedAt = -Infinity;
    const report = (done: number, total: number): void => {
      if (signal.aborted) return;
      Object.assign(job, { done, total });
      if (performance.now() - announcedAt < announceInterval) return;
      announcedAt = performance.now();
      emit({ what, done, total, finished: false });
    };
    const run = async (): Promise<void> => {
      previous?.abort.abort();
      await previous?.finished;
      try {
        signal.throwIfAborted();
        await work({ signal, report });
        if (jobs.get(what) === job) jobs.delete(what);
      } catch (error) {
        if (signal.aborted) return;
        logger.error(`Preparing the ${what} failed`, error);
        job.failure = failureReason(what, error);
      }
      if (!signal.aborted) emit({ what, done: job.total, total: job.total, finished: true });
    };
    const job: Job = { key, done: 0, total: 0, failure: null, abort, finished: Promise.resolve() };
    job.finished = run();
    return job;
  }

  return {
    ask(what, key, work) {
      let job = jobs.get(what);
      if (job?.key !== key) {
        job = start(what, key, work, job);
        jobs.set(what, job);
      }
      if (job.failure !== null) return { status: 'unavailable', reason: job.failure };
      return { status: 'preparing', done: job.done, total: job.total };
    },
    async close() {
      const all = [...jobs.values()];
      jobs.clear();
      for (const { abort } of all) abort.abort();
      await Promise.all(all.map(({ finished }) => finished));
    },
  };
}

function failureReason(what: Preparation['what'], error: unknown): string {
  const made = what === 'map' ? 'The map could not be made' : 'Similar images could not be looked for';
  if (error instanceof AppError && error.code !== 'internal') return `${made}: ${error.message}`;
  return `${made}, because the program failed at it. Close the project and open it again to try once more; if that does not help, the log says what happened.`;
}
