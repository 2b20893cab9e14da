/**
 * Calls `work` for 0 … count−1, at most `concurrency` at once. The first failure stops new calls, waits for those under way, and
 * is thrown.
 */
export async function forEachConcurrently(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  const lanes = Array.from({ length: Math.min(concurrency, count) }, () =>
    lane().catch((error: unknown) => {
      next = count;
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(lanes);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
