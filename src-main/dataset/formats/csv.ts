import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { parse, type InfoField } from 'csv-parse';
import type { LabelsFile } from '../../../shared/api.ts';
import { AppError, errorMessage } from '../../../shared/result.ts';
import { writeTextFile } from './text-file.ts';

/** How a CSV file is written down, so that it can be written back the same way. */
export interface CsvDialect {
  delimiter: string;
  /** Starts with a byte-order mark, as Excel writes it. */
  hasByteOrderMark: boolean;
  lineEnd: '\n' | '\r\n';
  /** Whether the last row ends in a line end. */
  endsWithLineEnd: boolean;
}

export interface CsvCell {
  text: string;
  /** Stood in quotation marks. */
  quoted: boolean;
}

export interface CsvRow {
  /** Line on which the row ends, from 1, as editors count. */
  line: number;
  /** As many as the row has, which may be fewer or more than the header names. */
  cells: CsvCell[];
}

export interface CsvTable {
  dialect: CsvDialect;
  header: CsvCell[];
  rows: AsyncIterable<CsvRow>;
}

/** One labeled file as the CSV names it. */
export interface LabelRow {
  line: number;
  file: string;
  label: string;
}

/** How Winnow writes a CSV of its own. */
export const plainDialect: CsvDialect = {
  delimiter: ',',
  hasByteOrderMark: false,
  lineEnd: '\n',
  endsWithLineEnd: true,
};

/**
 * Opens a CSV file with a header: comma, semicolon or tab, quoted fields, a byte-order mark, LF or CRLF. Rows are read as they are
 * asked for. Throws `AppError` 'labels-file', also while rows are read.
 */
export async function openCsv(file: string): Promise<CsvTable> {
  const dialect = await readDialect(file);
  for await (const { cells } of parseRows(file, dialect.delimiter)) {
    return { dialect, header: cells, rows: withoutFirst(parseRows(file, dialect.delimiter)) };
  }
  throw new AppError(
    'labels-file',
    `${file} is empty. Expected a first line with the names of the columns, then one row per image.`,
  );
}

/** Reads which label every file has. Throws `AppError` 'labels-file' that names the columns there are when one is missing. */
export async function* readLabels({ file, fileColumn, labelColumn }: LabelsFile): AsyncGenerator<LabelRow> {
  const { header, rows } = await openCsv(file);
  const fileIndex = requireColumn(file, header, fileColumn);
  const labelIndex = requireColumn(file, header, labelColumn);
  for await (const { line, cells } of rows) {
    yield { line, file: cells[fileIndex]?.text ?? '', label: (cells[labelIndex]?.text ?? '').trim() };
  }
}

/** Position of a column, by its exact name or else by its name without the space around it; −1 if there is none. */
export function findColumn(header: readonly CsvCell[], name: string): number {
  const exact = header.findIndex(({ text }) => text === name);
  return exact === -1 ? header.findIndex(({ text }) => text.trim() === name.trim()) : exact;
}

export function requireColumn(file: string, header: readonly CsvCell[], name: string): number {
  const index = findColumn(header, name);
  if (index !== -1) return index;
  const names = header.map(({ text }) => `"${text.trim()}"`).join(', ');
  throw new AppError(
    'labels-file',
    `${path.basename(file)} has no column "${name}". Its columns are ${names}; choose one of them.`,
  );
}

/** Writes a CSV, the header as its first row. Cells are written as they are: what looks like a formula is a label all the same. */
export async function writeCsv(
  out: string,
  overwrite: boolean,
  dialect: CsvDialect,
  rows: AsyncIterable<readonly CsvCell[]> | Iterable<readonly CsvCell[]>,
): Promise<void> {
  await writeTextFile(out, overwrite, formatRows(dialect, rows));
}

/** A cell that is quoted only where it must be. */
export function cell(text: string): CsvCell {
  return { text, quoted: false };
}

/** Bytes in which the header's delimiter and the line end are looked for. */
const dialectBytes = 64 * 1024;

async function* formatRows(
  { delimiter, lineEnd, hasByteOrderMark, endsWithLineEnd }: CsvDialect,
  rows: AsyncIterable<readonly CsvCell[]> | Iterable<readonly CsvCell[]>,
): AsyncGenerator<string> {
  let before = hasByteOrderMark ? '\uFEFF' : '';
  for await (const cells of rows) {
    yield before + cells.map((each) => formatCell(each, delimiter)).join(delimiter);
    before = lineEnd;
  }
  if (endsWithLineEnd) yield before;
}

function formatCell({ text, quoted }: CsvCell, delimiter: string): string {
  const mustQuote = text.includes(delimiter) || /["\r\n]|^\uFEFF/.test(text);
  return quoted || mustQuote ? `"${text.replaceAll('"', '""')}"` : text;
}

async function* withoutFirst(rows: AsyncIterable<CsvRow>): AsyncGenerator<CsvRow> {
  let isFirst = true;
  for await (const row of rows) {
    if (!isFirst) yield row;
    isFirst = false;
  }
}

async function* parseRows(file: string, delimiter: string): AsyncGenerator<CsvRow> {
  const parser = parse({
    delimiter,
    bom: true,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    cast: (text: string, context: InfoField): CsvCell => ({ text, quoted: context.quoting }),
  });
  // A failure destroys the parser with it, and so reaches the loop below; leaving the loop early closes the file.
  pipeline(Readable.from(decodeUtf8(file)), parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: CsvCell[]; info: { lines: number } }>) {
      yield { line: info.lines, cells: record };
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      'labels-file',
      `${file} cannot be read as CSV: ${errorMessage(error)}. Correct it and import again.`,
      { cause: error },
    );
  } finally {
    parser.destroy();
  }
}

/** Spreadsheets also save other encodings; guessing one would garble names that then match no file. */
async function* decodeUtf8(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    // All rows of a piece are parsed at once; larger pieces cost a hundred megabytes of memory.
    for await (const chunk of createReadStream(file, { highWaterMark: 16 * 1024 }) as AsyncIterable<Buffer>) {
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw cannotRead(file, error);
    throw new AppError('labels-file', `${file} is not UTF-8 text. Save it as "CSV UTF-8" and import again.`, {
      cause: error,
    });
  }
}

async function readDialect(file: string): Promise<CsvDialect> {
  let start: string;
  let end: string;
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const read = async (position: number, length: number): Promise<string> =>
      (await handle.read(Buffer.alloc(length), 0, length, position)).buffer.toString(
        'latin1',
        0,
        Math.min(length, size),
      );
    start = await read(0, dialectBytes);
    end = size === 0 ? '' : await read(size - 1, 1);
  } catch (error) {
    throw cannotRead(file, error);
  }
  const header = /^[^\r\n]*/.exec(start)![0];
  const parts = (delimiter: string): number => header.split(delimiter).length;
  return {
    delimiter: [',', ';', '\t'].reduce((best, candidate) => (parts(candidate) > parts(best) ? candidate : best)),
    // The mark's three bytes, seen as Latin-1.
    hasByteOrderMark: start.startsWith('\xef\xbb\xbf'),
    lineEnd: /\r\n|\n/.exec(start)?.[0] === '\r\n' ? '\r\n' : '\n',
    endsWithLineEnd: end === '\n',
  };
}

function cannotRead(file: string, error: unknown): AppError {
  return new AppError(
    'labels-file',
    `The labels file ${file} cannot be read: ${errorMessage(error)}. Choose another one.`,
    { cause: error },
  );
}
