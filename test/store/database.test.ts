import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inTransaction, openDatabase, toStorageError } from '../../src-main/store/database.ts';
import { applicationId, migrations } from '../../src-main/store/migrations.ts';
import { countSamples } from '../../src-main/store/samples.ts';
import { applyImport } from '../support/import-samples.ts';
import { scanned } from './fixtures.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-store-'));
  file = path.join(folder, 'project.winnow');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a transaction within another', () => {
  it('is part of it, without a savepoint, which would make a hundred thousand changes take minutes', () => {
    const db = openDatabase(file, { create: true });
    const add = (name: string): void => void db.prepare('INSERT INTO class (name) VALUES (?)').run(name);
    expect(() =>
      inTransaction(db, () => {
        add('cat');
        inTransaction(db, () => {
          add('dog');
          // As better-sqlite3 calls the one that it would make.
          expect(() => db.exec('RELEASE `\t_bs3.\t`')).toThrow(/no such savepoint/);
        });
        throw new Error('afterwards');
      }),
    ).toThrow('afterwards');
    expect(db.prepare('SELECT name FROM class').all()).toEqual([]);
    db.close();
  });
});

describe('openDatabase', () => {
  it('makes one portable file that says what it is', () => {
    const db = openDatabase(file, { create: true });
    expect(readFileSync(file).readInt32BE(68)).toBe(applicationId);
    expect(db.pragma('user_version', { simple: true })).toBe(migrations.length);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    const loose = db
      .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
      .all();
    expect(loose).toEqual([]);
    db.close();
    expect(readdirSync(folder)).toEqual(['project.winnow']);
  });

  it('can look up every reference to a class, except from the changes of actions, which every decision adds to', () => {
    const db = openDatabase(file, { create: true });
    const references = db
      .prepare<[], { place: string; indexes: number }>(
        `SELECT tables.name || '.' || reference."from" AS place,
                (SELECT count(*) FROM pragma_index_list(tables.name) AS list, pragma_index_info(list.name) AS part
                  WHERE part.seqno = 0 AND part.name = reference."from") AS indexes
           FROM pragma_table_list AS tables, pragma_foreign_key_list(tables.name) AS reference
          WHERE tables.schema = 'main' AND reference."table" = 'class' ORDER BY place`,
      )
      .all();
    expect(references.length).toBeGreaterThan(5);
    expect(references.filter(({ indexes }) => indexes === 0).map(({ place }) => place)).toEqual([
      'action_change.after_class_id',
      'action_change.before_class_id',
    ]);
    db.close();
  });

  it('refuses what is not there, and does not make it', () => {
    expect(() => openDatabase(file, { create: false })).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining(file) }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['text', () => writeFileSync(file, 'file,label\na.jpg,cat\n')],
    ['another program’s SQLite file', () => new BetterSqlite3(file).exec('CREATE TABLE note (body TEXT)').close()],
    ['a few bytes', () => writeFileSync(file, 'x')],
  ])('refuses %s and leaves it byte for byte', (_kind, make) => {
    make();
    const before = readFileSync(file);
    for (const create of [true, false]) {
      expect(() => openDatabase(file, { create })).toThrow(expect.objectContaining({ code: 'project-file' }));
    }
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(['project.winnow']);
  });

  it('refuses a project of a newer version', () => {
    const db = openDatabase(file, { create: true });
    db.pragma(`user_version = ${migrations.length + 1}`);
    db.close();
    expect(() => openDatabase(file, { create: false })).toThrow(
      expect.objectContaining({ code: 'project-from-future', message: expect.stringContaining('Update Winnow') }),
    );
  });

  it('takes over the empty file that a crash at the very start leaves', () => {
    writeFileSync(file, '');
    expect(() => openDatabase(file, { create: false })).toThrow(expect.objectContaining({ code: 'project-file' }));
    openDatabase(file, { create: true }).close();
    openDatabase(file, { create: false }).close();
  });

  it('lets two services work on one project, and says so when one must wait too long', () => {
    const first = openDatabase(file, { create: true });
    const second = openDatabase(file, { create: false });
    applyImport(first, { scanned: [scanned('cat/1.jpg'), scanned('dog/1.jpg')], problems: [] });
    expect(countSamples(second)).toEqual({ present: 2, gone: 0 });
    second.pragma('busy_timeout = 10');
    first.exec('BEGIN IMMEDIATE');
    let thrown: unknown;
    try {
      applyImport(second, { scanned: [], problems: [] });
    } catch (error) {
      thrown = error;
    }
    expect(toStorageError(file, thrown)).toMatchObject({ code: 'busy' });
    first.exec('ROLLBACK');
    applyImport(second, { scanned: [], problems: [] });
    expect(countSamples(first)).toEqual({ present: 0, gone: 2 });
    first.close();
    second.close();
  });
});
