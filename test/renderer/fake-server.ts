import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { createServer, type Plugin } from 'vite';
import { WebSocketServer } from 'ws';
import type { ApiEventName } from '../../shared/api.ts';
import { createDispatcher } from '../../shared/transport.ts';
import { createFakeService, type FakeOptions, type FakeService } from './fake-service.ts';

/*
 * Serves the window's sources over the fake service; for work on the window alone:
 *   node test/renderer/fake-server.ts FOLDER [port]
 * with FAKE_OPEN=1 a project is open, FAKE_TRAINED=1 it has findings (of FAKE_RECIPE), FAKE_SAMPLES=N repeats the pictures.
 */

/** Port 0 takes any free one. */
export async function startFakeServer(
  options: FakeOptions,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const service = await createFakeService(options);
  const server = await createServer({
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    plugins: [fakeServicePlugin(service)],
    logLevel: 'warn',
    server: { port, hmr: false, watch: null },
  });
  await server.listen();
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('Vite serves on no local address.');
  return { url, close: () => server.close() };
}

const eventNames: ApiEventName[] = ['importProgress', 'training', 'projectChanged', 'reviewChanged'];

function fakeServicePlugin(service: FakeService): Plugin {
  const dispatch = createDispatcher(service.handlers, (method, error) => {
    console.error(method, error);
  });
  return {
    name: 'fake-service',
    configureServer(server) {
      const sockets = new WebSocketServer({ noServer: true });
      (server.httpServer as Server | null)?.on('upgrade', (request, socket, head) => {
        if (request.url !== '/api') return;
        sockets.handleUpgrade(request, socket, head, (client) => {
          const stops = eventNames.map((event) =>
            service.subscribe(event, (payload) => {
              client.send(JSON.stringify({ event, payload }));
            }),
          );
          client.on('close', () => {
            for (const stop of stops) stop();
          });
          client.on('message', (data: Buffer) => {
            const { id, method, input } = JSON.parse(data.toString()) as { id: number; method: string; input: unknown };
            void dispatch(method, input).then((result) => {
              client.send(JSON.stringify({ id, result }));
            });
          });
        });
      });
      server.middlewares.use('/image/', (request, response) => {
        const url = new URL(request.url ?? '/', 'http://localhost');
        const file = service.imagePath(Number(url.pathname.slice(1)));
        if (file === null) {
          response.writeHead(404).end();
          return;
        }
        void (async () => {
          const bytes = await readFile(file);
          const isThumbnail = url.searchParams.get('size') === 'thumbnail';
          const body = isThumbnail ? await sharp(bytes).resize(256, 256, { fit: 'inside' }).webp().toBuffer() : bytes;
          response.writeHead(200, {
            'Content-Type': isThumbnail ? 'image/webp' : 'image/jpeg',
            'Cache-Control': 'private, max-age=31536000, immutable',
          });
          response.end(body);
        })();
      });
    },
  };
}

if (import.meta.main) {
  const [folder, port = '5199'] = process.argv.slice(2);
  if (folder === undefined) throw new Error('Usage: node test/renderer/fake-server.ts FOLDER [port]');
  const { url } = await startFakeServer(
    {
      folder,
      samples: process.env['FAKE_SAMPLES'] === undefined ? null : Number(process.env['FAKE_SAMPLES']),
      open: process.env['FAKE_OPEN'] !== undefined,
      trained: process.env['FAKE_TRAINED'] !== undefined,
      recipe: process.env['FAKE_RECIPE'] ?? 'sat',
    },
    Number(port),
  );
  console.log(url);
}
