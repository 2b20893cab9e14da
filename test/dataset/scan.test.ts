import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LabelsFile } from '../../shared/api.ts';
import { mayBeImage } from '../../src-main/dataset/image-format.ts';
import { createFileMatcher } from '../support/plain-matcher.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { scan, type Scan } from '../support/scan.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';

// A scan opens no image, so any bytes do here.
const bytes = 'x';

describe('a folder of class folders', () => {
  test('nested names, other scripts, quotes, newlines and emoji are kept', async () => {
    const folder = await temporaryFolder();
    const names = [
      'birds/great tit/it\'s "one".JPG',
      'птицы/鳥.png',
      'emoji 🐦/line\nbreak.webp',
      'plain/no-extension',
      'plain/a.b.jpeg',
    ];
    await writeFiles(folder, Object.fromEntries(names.map((name) => [name, bytes])));
    const { files, problems } = await scan({ folder, labels: null });
    expect(files.map((file) => [file.path, file.givenClass]).sort()).toEqual(
      names.map((name) => [name, path.posix.dirname(name)]).sort(),
    );
    expect(files[0]).toMatchObject({ byteSize: 1 });
    expect(problems).toEqual([]);
  });

  test('junk and other files are ignored, images outside a class folder are problems', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'a/1.jpg': bytes,
      'b/2.jpg': bytes,
      'a/Thumbs.db': bytes,
      'a/notes.txt': bytes,
      'a/._1.jpg': bytes,
      '.git/x.jpg': bytes,
      '__MACOSX/a/1.jpg': bytes,
      'b/@eaDir/2.jpg': bytes,
      'loose.jpg': bytes,
    });
    expect(summary(await scan({ folder, labels: null }))).toEqual({
      files: { 'a/1.jpg': 'a', 'b/2.jpg': 'b' },
      problems: { 'loose.jpg': 'outside-class-folder' },
    });
  });

  test('links are followed, but not in circles', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'images/a/1.jpg': bytes, 'images/b/2.jpg': bytes, 'elsewhere/3.jpg': bytes });
    const images = path.join(folder, 'images');
    await symlink('..', path.join(images, 'a', 'up'));
    await symlink('self', path.join(images, 'b', 'self'));
    await symlink('../../elsewhere/3.jpg', path.join(images, 'b', '3.jpg'));
    await symlink('nowhere.jpg', path.join(images, 'b', 'broken.jpg'));
    await symlink('../elsewhere', path.join(images, 'c'));
    expect(summary(await scan({ folder: images, labels: null }))).toEqual({
      files: { 'a/1.jpg': 'a', 'b/2.jpg': 'b', 'b/3.jpg': 'b', 'c/3.jpg': 'c' },
      problems: { 'a/up': 'symlink-loop', 'b/self': 'symlink-loop', 'b/broken.jpg': 'unreadable' },
    });
  });

  // Only Linux lets such names into its file systems.
  test.runIf(process.platform === 'linux')('names that are no UTF-8 become problems', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'a/1.jpg': bytes, 'b/2.jpg': bytes });
    await writeFile(Buffer.concat([Buffer.from(`${folder}/a/caf`), Buffer.from([0xe9]), Buffer.from('.jpg')]), bytes);
    expect(summary(await scan({ folder, labels: null }))).toEqual({
      files: { 'a/1.jpg': 'a', 'b/2.jpg': 'b' },
      problems: { 'a/caf\uFFFD.jpg': 'name-not-utf8' },
    });
  });

  test('what cannot be imported says what was expected', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'empty'));
    await writeFiles(folder, { 'flat/1.jpg': bytes, 'one/cat/1.jpg': bytes });
    const failures = ['empty', 'flat', 'one', 'missing'].map((name) =>
      scan({ folder: path.join(folder, name), labels: null }).catch((error: unknown) => error),
    );
    expect(await Promise.all(failures)).toMatchObject([
      { code: 'folder-empty', message: expect.stringContaining('one folder per class') as string },
      { code: 'folder-empty', message: expect.stringContaining('1 image but no class folders') as string },
      { code: 'single-class', message: expect.stringContaining('"cat"') as string },
      { code: 'folder-missing' },
    ]);
  });
});

describe('a folder and a CSV', () => {
  test('quotes, a byte-order mark, CRLF and semicolons; rows and files that do not fit become problems', async () => {
    const csv =
      '\uFEFFid;"file";label\r\n' +
      '1;a.jpg; cat \r\n' +
      '2;"sub/with;semicolon.jpg";"dog ""big"""\r\n' +
      '3;.\\sub\\c.jpg;dog\r\n' +
      '4;gone.jpg;dog\r\n' +
      '5;empty.jpg;\r\n' +
      '6;;cat\r\n' +
      '7;a.jpg;dog\r\n' +
      '8;text.txt;cat\r\n' +
      '9;../outside.jpg;cat\r\n';
    const found = await scanWithCsv(
      ['a.jpg', 'sub/with;semicolon.jpg', 'sub/c.jpg', 'empty.jpg', 'unlisted.png', 'text.txt', '../outside.jpg'],
      csv,
    );
    expect(summary(found)).toEqual({
      files: { 'a.jpg': 'cat', 'sub/with;semicolon.jpg': 'dog "big"', 'sub/c.jpg': 'dog', 'text.txt': 'cat' },
      problems: {
        'gone.jpg': 'file-missing',
        'empty.jpg': 'label-missing',
        'labels.csv': 'csv-row',
        'a.jpg': 'csv-row',
        'unlisted.png': 'label-missing',
        '../outside.jpg': 'file-missing',
      },
    });
    expect(found.problems.find(({ kind }) => kind === 'file-missing')!.reason).toContain('labels.csv, line 5:');
  });

  test('bare names and names without extension match when they are unique', async () => {
    const csv = 'file,label\n1.jpg,cat\ntwo,dog\nimages/b/3.jpg,dog\ntwice.jpg,cat\n';
    expect(summary(await scanWithCsv(['a/1.jpg', 'b/two.png', 'b/3.jpg', 'a/twice.jpg', 'b/twice.jpg'], csv))).toEqual({
      files: { 'a/1.jpg': 'cat', 'b/two.png': 'dog', 'b/3.jpg': 'dog' },
      problems: { 'twice.jpg': 'file-missing', 'a/twice.jpg': 'label-missing', 'b/twice.jpg': 'label-missing' },
    });
  });

  test('a row finds the file that a plain program over maps finds for it', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const random = createRandom(seed);
      const word = (): string => ['a', 'b', 'é', 'e\u0301', 'x.y'][random.integer(5)]!;
      const file = (): string =>
        `${['', 'u/', 'v/', 'u/v/'][random.integer(4)]!}${word()}${['.jpg', '.png', ''][random.integer(3)]!}`;
      const names = [...new Set(Array.from({ length: 12 }, file))].filter(mayBeImage);
      const spoilt = (name: string): string =>
        [name, ` ${name}`, `./${name}`, name.replaceAll('/', '\\'), name.slice(name.lastIndexOf('/') + 1), word()][
          random.integer(6)
        ]!;
      const rows = Array.from({ length: 16 }, (_, i) => ({ file: spoilt(file()), label: `label ${i % 3}` }));
      const csv = `file,label\n${rows.map((row) => `${row.file},${row.label}\n`).join('')}`;

      // As one that Linux keeps apart by their bytes may be, two names that look the same are none of a CSV's business.
      const files = names
        .filter((name) => names.every((other) => other === name || other.normalize() !== name.normalize()))
        .map((name) => ({ path: name }));
      const matcher = createFileMatcher(files, 'images');
      const first = new Map<string, string>();
      const unmatched = rows.filter((row) => {
        const found = matcher.byPath(row.file);
        if (found !== null && !first.has(found.path)) first.set(found.path, row.label);
        return found === null;
      });
      const byName = matcher.byName(
        files.filter(({ path: name }) => !first.has(name)),
        unmatched.map((row) => row.file),
      );
      for (const row of unmatched) {
        const found = byName(row.file);
        if (found !== null && !first.has(found.path)) first.set(found.path, row.label);
      }
      const scanned = await scanWithCsv(
        files.map(({ path: name }) => name),
        csv,
      );
      expect({ seed, files: summary(scanned).files }).toEqual({ seed, files: Object.fromEntries(first) });
    }
  });

  test('two rows may name a file that only they take for a picture', async () => {
    const csv = 'file,label\na.jpg,cat\nb.jpg,dog\nc.txt,cat\n./c.txt,dog\n';
    expect(summary(await scanWithCsv(['a.jpg', 'b.jpg', 'c.txt'], csv))).toEqual({
      files: { 'a.jpg': 'cat', 'b.jpg': 'dog', 'c.txt': 'cat' },
      problems: { 'c.txt': 'csv-row' },
    });
  });

  test('a file that is no such CSV is refused with what it has', async () => {
    const contents = [
      'name,class\na.jpg,cat\n',
      '',
      Buffer.from('file,label\ncaf\xe9.jpg,cat\n', 'latin1'),
      'file,label\nb.jpg,cat\n',
    ];
    const failures = contents.map((content) => scanWithCsv(['a.jpg'], content).catch((error: unknown) => error));
    expect(await Promise.all(failures)).toMatchObject([
      { code: 'labels-file', message: expect.stringContaining('"name", "class"') as string },
      { code: 'labels-file', message: expect.stringContaining('is empty') as string },
      { code: 'labels-file', message: expect.stringContaining('UTF-8') as string },
      { code: 'folder-empty', message: expect.stringContaining('such as a.jpg') as string },
    ]);
  });
});

async function scanWithCsv(names: string[], csv: string | Buffer): Promise<Scan> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'labels.csv': csv });
  await writeFiles(path.join(folder, 'images'), Object.fromEntries(names.map((name) => [name, bytes])));
  const labels: LabelsFile = { file: path.join(folder, 'labels.csv'), fileColumn: 'file', labelColumn: 'label' };
  return await scan({ folder: path.join(folder, 'images'), labels });
}

function summary({ files, problems }: Scan): { files: Record<string, string>; problems: Record<string, string> } {
  return {
    files: Object.fromEntries(files.map((file) => [file.path, file.givenClass])),
    problems: Object.fromEntries(problems.map((problem) => [problem.path, problem.kind])),
  };
}
