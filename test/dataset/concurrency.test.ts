import { expect, test } from 'vitest';
import { forEachOf } from '../../src-main/dataset/concurrency.ts';

test('takes things only as there is a hand free for them, and no more after a failure', async () => {
  let taken = 0;
  let closed = false;
  let atOnce = 0;
  let mostAtOnce = 0;
  function* things(): Generator<number> {
    try {
      for (;;) yield taken++;
    } finally {
      closed = true;
    }
  }
  const work = async (thing: number): Promise<void> => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, 1));
    atOnce--;
    if (thing === 10) throw new Error('the tenth');
  };
  await expect(forEachOf(things(), 3, work)).rejects.toThrow('the tenth');
  expect({ taken: taken <= 14, closed, atOnce, mostAtOnce }).toEqual({
    taken: true,
    closed: true,
    atOnce: 0,
    mostAtOnce: 3,
  });
});
