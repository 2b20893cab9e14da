import type { SampleId } from '../../shared/domain.ts';
import { pages, type Database } from './database.ts';
import { rowOf, type SampleColumns } from './sample-columns.ts';

/** The paths of the present samples, as they are sorted and searched. */
export interface SamplePaths {
  /** Rows by path. */
  order: Uint32Array;
  /** Together all of `order`. */
  parts: PathsPart[];
}

/** Many paths as one text, which is searched far quicker than as many texts. */
interface PathsPart {
  /** Index in `order` of the first. */
  first: number;
  /** See `searchKey`; each path ends in a separator. */
  text: string;
  /** Where in the text each path ends. */
  ends: Uint32Array;
}

export function readPaths(db: Database, columns: SampleColumns): SamplePaths {
  const order = new Uint32Array(columns.count);
  const parts: PathsPart[] = [];
  let place = 0;
  for (const page of pages<[path: string, id: SampleId]>(
    db,
    'SELECT path, id FROM sample WHERE path > ? ORDER BY path',
    { from: '' },
  )) {
    const first = place;
    const paths: string[] = [];
    for (const [path, id] of page) {
      const row = rowOf(columns, id);
      if (row === -1) continue;
      order[place++] = row;
      paths.push(path, separator);
    }
    const text = searchKey(paths.join(''));
    parts.push({ first, text, ends: endsOf(text, place - first) });
  }
  return { order, parts };
}

/** For each row, 1 where the word occurs in the path. */
export function findInPaths({ order, parts }: SamplePaths, word: string): Uint8Array {
  const found = new Uint8Array(order.length);
  for (const { first, text, ends } of parts) {
    let path = 0;
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, ends[path])) {
      while (ends[path]! <= at) path++;
      found[order[first + path]!] = 1;
    }
  }
  return found;
}

/** The words of a search, as `searchKey` has them. */
export function searchWords(search: string): string[] {
  return searchKey(search)
    .split(/[\s\0]+/)
    .filter((word) => word !== '');
}

/** Text in which upper and lower case, and the ways to write one letter, are the same, in every script. */
export function searchKey(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** No path contains it, and no word. */
const separator = '\0';

function endsOf(text: string, paths: number): Uint32Array {
  const ends = new Uint32Array(paths);
  let end = -1;
  for (let path = 0; path < paths; path++) ends[path] = end = text.indexOf(separator, end + 1);
  return ends;
}
