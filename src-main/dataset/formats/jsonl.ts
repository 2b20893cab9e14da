import { writeTextFile } from './text-file.ts';

/** Writes one JSON object a line. */
export async function writeJsonl(
  out: string,
  overwrite: boolean,
  records: Iterable<Record<string, string | number | null>>,
): Promise<void> {
  await writeTextFile(out, overwrite, lines(records));
}

function* lines(records: Iterable<Record<string, string | number | null>>): Generator<string> {
  for (const record of records) yield `${JSON.stringify(record)}\n`;
}
