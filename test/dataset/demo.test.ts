import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { drawDemo } from '../../src-main/dataset/demo.ts';
import { readLabels } from '../../src-main/dataset/formats/csv.ts';
import { scan } from '../support/scan.ts';
import { temporaryFolder } from './pictures.ts';

test('pictures of ten kinds, eight percent of them in the wrong folder, the same for the same seed', async () => {
  const root = await temporaryFolder();
  const draw = async (name: string, seed: number): Promise<Map<string, string>> =>
    drawDemo({ folder: path.join(root, name), truthFile: path.join(root, `${name}.csv`), seed, pictures: 200 });
  const truth = await draw('one', 7);
  const { files, problems } = await scan({ folder: path.join(root, 'one'), labels: null });
  const wrong = files.filter((file) => truth.get(file.path) !== file.givenClass);
  expect({ files: files.length, classes: new Set(truth.values()).size, wrong: wrong.length, problems }).toEqual({
    files: 200,
    classes: 10,
    wrong: 16,
    problems: [],
  });

  const rows = await Array.fromAsync(
    readLabels({ file: path.join(root, 'one.csv'), fileColumn: 'file', labelColumn: 'truth' }),
  );
  expect(new Map(rows.map(({ file, label }) => [file, label]))).toEqual(truth);

  expect(await draw('again', 7)).toEqual(truth);
  const [first] = truth.keys();
  expect(await readFile(path.join(root, 'again', first!))).toEqual(await readFile(path.join(root, 'one', first!)));
  expect(await draw('other', 8)).not.toEqual(truth);
});
