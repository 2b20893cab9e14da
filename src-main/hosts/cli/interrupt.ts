import process from 'node:process';

/** Conventional status of a process that was interrupted: 128 + SIGINT. */
const interruptedStatus = 130;

/**
 * Runs a task that can be cancelled from the keyboard: the first SIGINT or SIGTERM asks it to end well, a second one ends the
 * process at once.
 */
export async function withInterrupt<T>(onInterrupt: () => void, task: () => Promise<T>): Promise<T> {
  let interrupted = false;
  const listener = (): void => {
    if (interrupted) process.exit(interruptedStatus);
    interrupted = true;
    onInterrupt();
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  try {
    return await task();
  } finally {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  }
}
