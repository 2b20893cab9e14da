import { readdir, readFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSettings } from '../../src-main/app/settings.ts';
import { temporaryFolder, writeFiles } from '../dataset/pictures.ts';
import { createMemoryLogger } from '../hosts/small-service.ts';

async function home() {
  const folder = await temporaryFolder();
  const logger = createMemoryLogger();
  return { folder, file: path.join(folder, 'settings.json'), logger, open: () => createSettings(folder, logger) };
}

describe('settings', () => {
  it('name the user of the system until a person sets another name, and write nothing of themselves', async () => {
    const { folder, open, logger } = await home();
    expect(open().current()).toEqual({ reviewer: os.userInfo().username, keys: {} });
    expect([await readdir(folder), logger.lines]).toEqual([[], []]);
  });

  it('know nobody where the system does not', async () => {
    const { open } = await home();
    const spy = vi.spyOn(os, 'userInfo').mockImplementation(() => {
      throw new Error('uv_os_get_passwd returned ENOENT');
    });
    syncBuiltinESMExports();
    onTestFinished(() => {
      spy.mockRestore();
      syncBuiltinESMExports();
    });
    expect(open().current().reviewer).toBe('');
  });

  it('keep what another service has saved meanwhile, and what is saved at once', async () => {
    const { folder, open } = await home();
    const [one, two] = [open(), open()];
    one.current();
    await two.save({ keys: { confirm: ['c', 'Enter'] } });
    const [first, second] = await Promise.all([one.save({ reviewer: 'Ann' }), one.save({ reviewer: '' })]);
    expect(first).toEqual({ reviewer: 'Ann', keys: { confirm: ['c', 'Enter'] } });
    expect([second, one.current(), open().current()]).toEqual(
      Array.from({ length: 3 }, () => ({ reviewer: '', keys: { confirm: ['c', 'Enter'] } })),
    );
    expect(await readdir(folder)).toEqual(['settings.json']);
  });

  it.each(['{"reviewer": "Ann"', '{"reviewer": 7}', '[]', ''])(
    'count as unset where the file is damaged: %s',
    async (text) => {
      const { folder, file, open, logger } = await home();
      await writeFiles(folder, { 'settings.json': text });
      const settings = open();
      expect(settings.current()).toEqual({ reviewer: os.userInfo().username, keys: {} });
      expect(settings.current().keys).toEqual({});
      expect(logger.lines).toEqual([expect.stringContaining(`${file} is damaged`)]);
      await settings.save({ reviewer: 'Bob' });
      expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ reviewer: 'Bob' });
    },
  );

  it('stay as they are where they cannot be written', async () => {
    const { folder, file, open } = await home();
    // A folder stands where the file would be.
    await writeFiles(folder, { 'settings.json/occupied': '' });
    const settings = open();
    const before = settings.current();
    await expect(settings.save({ reviewer: 'Bob' })).rejects.toThrow(`could not be written to ${file}`);
    expect([settings.current(), await readdir(folder)]).toEqual([before, ['settings.json']]);
  });
});
