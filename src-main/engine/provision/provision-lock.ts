import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

/** Runs `work` while no other process provisions into the same folder; waits for one that does. */
export async function withProvisionLock<T>(
  engineFolder: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = path.join(engineFolder, '.provisioning');
  await mkdir(engineFolder, { recursive: true });
  let told = false;
  while (!(await take(lock))) {
    if (!told) onWait();
    told = true;
    await delay(500);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    return false;
  }
}

/** The process that took it has ended without giving it back. */
async function isAbandoned(lock: string): Promise<boolean> {
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isInteger(holder) || holder <= 0) {
    // Between its creation and its first byte a lock is empty for a moment.
    const stats = await stat(lock).catch(() => null);
    return stats !== null && Date.now() - stats.mtimeMs > 5000;
  }
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
