import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { AppError, errorMessage } from '../../../shared/result.ts';

/**
 * Writes a UTF-8 text file from pieces. It appears under its name only when it is complete and on disk; whatever was there before
 * stays untouched until then. Throws `AppError` 'export' if a file is there that must not be replaced, or the disk refuses.
 */
export async function writeTextFile(
  out: string,
  overwrite: boolean,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  await assertMayWrite(out, overwrite);
  const temporary = `${out}.${randomBytes(4).toString('hex')}.partial`;
  try {
    const file = await open(temporary, 'wx');
    try {
      let text = '';
      for await (const piece of pieces) {
        text += piece;
        if (text.length < writeLength) continue;
        await file.writeFile(text);
        text = '';
      }
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, out);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof AppError) throw error;
    throw new AppError('export', `${out} could not be written: ${errorMessage(error)}. Choose another place.`, {
      cause: error,
    });
  }
}

/** Characters collected before they are written. */
const writeLength = 256 * 1024;

async function assertMayWrite(out: string, overwrite: boolean): Promise<void> {
  const folder = await stat(path.dirname(out)).catch(() => null);
  if (folder?.isDirectory() !== true)
    throw new AppError('export', `The folder ${path.dirname(out)} does not exist. Make it, or choose another place.`);
  const existing = await stat(out).catch(() => null);
  if (existing === null) return;
  if (existing.isDirectory()) throw new AppError('export', `${out} is a folder. Give the name of a file.`);
  if (!overwrite)
    throw new AppError(
      'already-exists',
      `${out} is already there and was left as it is. Choose another name, or ask to replace it.`,
    );
}
