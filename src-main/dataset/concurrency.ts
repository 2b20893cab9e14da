/**
 * Calls `work` for 0 … count−1, at most `concurrency` at once. The first failure stops new calls, waits for those under way, and
 * is thrown.
 */
export async function forEachConcurrently(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  await forEachOf(new Array(count).keys(), concurrency, work);
}

/** The same for things that are only taken from where they come when there is a hand free for them. */
export async function forEachOf<T>(
  things: Iterable<T>,
  concurrency: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const iterator = things[Symbol.iterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      await work(next.value);
      if (failed) return;
    }
  };
  const lanes = Array.from({ length: concurrency }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(lanes);
  iterator.return?.();
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
