import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** electron-builder's own reader and check, with its own schema (`scheme.json`), as they run before it packages. */
interface BuilderConfiguration {
  getConfig(folder: string, file: string, overrides: null): Promise<Record<string, unknown>>;
  validateConfiguration(configuration: unknown, debugLogger: { isEnabled: boolean }): Promise<void>;
}

const require = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
const builder = require('app-builder-lib/out/util/config/config.js') as BuilderConfiguration;

test('electron-builder.yml satisfies the schema of electron-builder', async () => {
  await expect(validate(await readConfiguration())).resolves.toBeUndefined();
});

test('the schema refuses what electron-builder does not know', async () => {
  await expect(validate({ ...(await readConfiguration()), asarUnpacked: ['dist/main/**'] })).rejects.toThrow(
    /asarUnpacked/,
  );
});

test('what a plain Node process loads lies outside the archive', async () => {
  expect(await readConfiguration()).toMatchObject({
    asarUnpack: expect.arrayContaining(['dist/main/**', 'node_modules/**']),
  });
});

function validate(configuration: unknown): Promise<void> {
  return builder.validateConfiguration(configuration, { isEnabled: false });
}

function readConfiguration(): Promise<Record<string, unknown>> {
  return builder.getConfig(fileURLToPath(new URL('../..', import.meta.url)), 'electron-builder.yml', null);
}
