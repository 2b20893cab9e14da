import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { openPromise } from 'yauzl';

/** Whether an entry is wanted, by its path in the archive (forward slashes, no leading `./`). */
export type EntryFilter = (entryPath: string) => boolean;

/** Unpacks the wanted entries of a `.tar.gz`, a `.zip` or a wheel into a folder. Throws when the archive is damaged. */
export async function unpack(archive: string, folder: string, isWanted: EntryFilter): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (archive.endsWith('.tar.gz')) {
    await extract({
      file: archive,
      cwd: folder,
      strict: true,
      filter: (entryPath) => isWanted(entryPath.replace(/^\.\//, '')),
    });
  } else {
    await unpackZip(archive, folder, isWanted);
  }
}

/** The first entry with this name, as text; null when the archive has none. */
export async function readZipEntry(archive: string, isWanted: EntryFilter): Promise<string | null> {
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (!isWanted(entry.fileName)) continue;
      const chunks: Uint8Array[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Uint8Array);
      return Buffer.concat(chunks).toString('utf8');
    }
    return null;
  } finally {
    zip.close();
  }
}

async function unpackZip(archive: string, folder: string, isWanted: EntryFilter): Promise<void> {
  // yauzl refuses absolute paths and `..` by itself, and checks the size of every entry.
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/') || !isWanted(entry.fileName)) continue;
      const file = path.join(folder, entry.fileName);
      await mkdir(path.dirname(file), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file));
    }
  } finally {
    zip.close();
  }
}
