import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPrintFile, readStoredPrints } from '../../src-main/app/print-file.ts';
import { fingerprintBytes, hashBytes } from '../../src-main/domain/fingerprint.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { temporaryFolder } from '../dataset/pictures.ts';

it('holds fingerprints in a file, in whatever order they come, and leaves nothing behind', async () => {
  const folder = await temporaryFolder();
  const random = createRandom(1);
  const count = 2500;
  const prints = Array.from({ length: count }, () =>
    Uint8Array.from({ length: fingerprintBytes }, () => random.integer(256)),
  );
  const file = openPrintFile(folder, count + 2);
  for (let i = count - 1; i >= 0; i--) file.add(i, prints[i]!);
  file.add(count, new Uint8Array(fingerprintBytes));
  const stored = file.finish();
  const { hashes, compared, read } = readStoredPrints(stored);
  expect([compared.indexOf(0), compared.length]).toEqual([count, count + 2]);
  const into = new Uint8Array(fingerprintBytes);
  for (const [i, print] of prints.entries()) {
    read(i, into);
    if (!Buffer.from(into).equals(print)) expect([i, into]).toEqual([i, print]);
  }
  expect(hashes.subarray(7 * hashBytes, 8 * hashBytes)).toEqual(prints[7]!.subarray(0, hashBytes));
  file.close();
  expect(readdirSync(folder)).toEqual([]);
});
