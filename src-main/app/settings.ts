import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import type { Settings, SettingsChange } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { writeFileAtomically } from './write-file.ts';

/** What a person has set for every project, in a small file of the data folder. */
export interface SettingsStore {
  current(): Settings;
  /** Replaces the given settings and keeps the others. Throws `AppError` if they cannot be written; then nothing has changed. */
  save(change: SettingsChange): Promise<Settings>;
}

/** A file that is damaged is logged, and counts as one in which nothing was set. */
export function createSettings(dataFolder: string, logger: Logger): SettingsStore {
  const file = path.join(dataFolder, 'settings.json');
  let set: StoredSettings | null = null;
  // Changes wait for each other, so that none is lost between reading and writing.
  let lastChange: Promise<unknown> = Promise.resolve();

  const replace = async (change: SettingsChange): Promise<Settings> => {
    // Read anew, as another Winnow may have saved since.
    const next = v.parse(storedSettings, { ...read(file, logger), ...change });
    try {
      await writeFileAtomically(file, `${JSON.stringify(next, null, 2)}\n`);
    } catch (error) {
      throw new AppError(
        'internal',
        `The settings could not be written to ${file}: ${errorMessage(error)}. Nothing was changed; check that you may write there.`,
        { cause: error },
      );
    }
    set = next;
    return withDefaults(next);
  };

  return {
    current: () => withDefaults((set ??= read(file, logger))),
    save: (change) => {
      const saved = lastChange.then(() => replace(change));
      lastChange = saved.catch(() => undefined);
      return saved;
    },
  };
}

const storedSettings = v.object({
  reviewer: v.optional(v.string()),
  keys: v.optional(v.record(v.string(), v.array(v.string()))),
});

/** What was never set is not stored, so that its default may change. */
type StoredSettings = v.InferOutput<typeof storedSettings>;

function withDefaults({ reviewer, keys }: StoredSettings): Settings {
  return { reviewer: reviewer ?? userName(), keys: keys ?? {} };
}

/** Empty where the system has no name for the user, as in some containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

function read(file: string, logger: Logger): StoredSettings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn(`${file} cannot be read: ${errorMessage(error)}`);
    return {};
  }
  try {
    return v.parse(storedSettings, JSON.parse(text));
  } catch (error) {
    logger.warn(`${file} is damaged, so nothing counts as set: ${errorMessage(error)}`);
    return {};
  }
}
