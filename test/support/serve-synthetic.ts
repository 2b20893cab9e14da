/*
 * For work on the window: its sources with hot reload over the real service and a synthetic project.
 *
 *   node test/support/serve-synthetic.ts [--folder FOLDER] [--samples 2000] [--pictures FOLDER] [--recipe sat] [--decided 0] [--port 5199]
 *
 * A project that is in FOLDER already is served as it is; without FOLDER, one is made that is gone afterwards.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { createHome } from './home.ts';
import { serveProject } from './serve-project.ts';
import { createSyntheticProject } from './synthetic-project.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    samples: { type: 'string', default: '2000' },
    pictures: { type: 'string' },
    recipe: { type: 'string', default: 'sat' },
    decided: { type: 'string', default: '0' },
    port: { type: 'string', default: '5199' },
  },
});

const root = path.resolve(import.meta.dirname, '..', '..');
const folder = path.resolve(values.folder ?? mkdtempSync(path.join(tmpdir(), 'winnow-synthetic-')));
mkdirSync(folder, { recursive: true });
const home = createHome(folder);
const project = path.join(folder, 'synthetic.winnow');
if (!existsSync(project)) {
  await createSyntheticProject({
    folder,
    home,
    samples: Number(values.samples),
    recipe: values.recipe,
    decided: Number(values.decided),
    ...(values.pictures === undefined ? {} : { pictures: values.pictures }),
  });
}

// Vite serves the window, so any folder with an index.html will do for the server behind it.
const served = await serveProject({ project, home, rendererFolder: path.join(root, 'src-renderer') });
const { origin, port, searchParams } = new URL(served.url);
const proxy = {
  target: origin,
  changeOrigin: true,
  headers: { Cookie: `winnow-${port}=${searchParams.get('token') ?? ''}`, Origin: origin },
};
const vite = await createServer({
  configFile: path.join(root, 'vite.config.ts'),
  logLevel: 'warn',
  server: { port: Number(values.port), proxy: { '/api': { ...proxy, ws: true }, '/image': proxy } },
});
await vite.listen();
console.log(vite.resolvedUrls?.local[0] ?? `http://localhost:${values.port}/`);

// Vite ends the process by itself at SIGTERM, so what must not be left behind goes at the very end.
process.once('exit', () => {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.all([vite.close(), served.close()]).then(() => process.exit());
  });
}
