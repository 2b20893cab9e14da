import { setImmediate } from 'node:timers/promises';

/** Lets whatever waits for the service go first. Rejects when the signal is aborted. */
export async function nextTurn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}
