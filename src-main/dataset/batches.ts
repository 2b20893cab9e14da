const batchLength = 1000;

/** The things in arrays of up to 1,000, so that they can be handled together without holding all of them. */
export async function* batchesOf<T>(things: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const thing of things) {
    batch.push(thing);
    if (batch.length < batchLength) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
