import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer, type RunningServer } from '../../src-main/hosts/server/server.ts';
import { createMemoryLogger, createSmallService } from './small-service.ts';

const imageBytes = Buffer.from('not really a picture');
let folder: string;
let server: RunningServer;
let service: ReturnType<typeof createSmallService>;
let token: string;
let cookie: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-server-'));
  mkdirSync(path.join(folder, 'renderer', 'assets'), { recursive: true });
  writeFileSync(path.join(folder, 'renderer', 'index.html'), '<!doctype html><title>Winnow</title>');
  writeFileSync(path.join(folder, 'renderer', 'assets', 'index-1a2b.js'), 'export {};');
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  service = createSmallService(
    { suggestProjectPath: ({ folder: images }) => ({ path: `${images}.winnow`, exists: false }) },
    async (id, size) =>
      id === 7 ? { bytes: Buffer.concat([imageBytes, Buffer.from(size)]), contentType: 'image/png' } : null,
  );
  server = await startServer({
    service,
    logger: createMemoryLogger(),
    rendererFolder: path.join(folder, 'renderer'),
    port: await freePort(),
    firstPage: '/?folder=x',
  });
  token = new URL(server.url).searchParams.get('token') ?? '';
  cookie = `winnow-${server.port}=${token}`;
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test('the token is exchanged for a cookie that scripts and other sites cannot use', async () => {
  const { status, headers } = await get(`/?token=${token}`);
  expect({ status, location: headers.location, cookie: headers['set-cookie'] }).toEqual({
    status: 303,
    location: '/?folder=x',
    cookie: [`winnow-${server.port}=${token}; Path=/; HttpOnly; SameSite=Strict`],
  });
});

test('the page is served with a strict policy and never kept, hashed files are kept for ever', async () => {
  const page = await get('/', { cookie });
  expect([page.status, page.body, page.headers['cache-control'], page.headers['x-content-type-options']]).toEqual([
    200,
    '<!doctype html><title>Winnow</title>',
    'no-store',
    'nosniff',
  ]);
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'; script-src 'self';/);
  const script = await get('/assets/index-1a2b.js', { cookie });
  expect([script.headers['content-type'], script.headers['cache-control']]).toEqual([
    'text/javascript; charset=utf-8',
    'private, max-age=31536000, immutable',
  ]);
});

test('images come by id from the service and nowhere else', async () => {
  const image = await get('/image/7?size=thumbnail&v=abc', { cookie });
  expect([image.status, image.body, image.headers['content-type'], image.headers['cache-control']]).toEqual([
    200,
    `${imageBytes.toString()}thumbnail`,
    'image/png',
    'private, max-age=31536000, immutable',
  ]);
  const statuses = await Promise.all(
    ['/image/8', '/image/7%2f..%2f7', '/image/07', '/image/7?size=huge', '/image/1e3', '/image/'].map(
      async (target) => (await get(target, { cookie })).status,
    ),
  );
  expect(statuses).toEqual([404, 404, 404, 404, 404, 404]);
});

test.each([
  ['no token', '/', {}, 403],
  ['a wrong token', '/?token=wrong', {}, 403],
  ['a wrong cookie', '/', { cookie: 'winnow-1=x' }, 403],
  ['an image without the cookie', '/image/7', {}, 403],
  ['a rebound host name', '/', { host: 'evil.example' }, 403],
  ['a host without the port', '/', { host: '127.0.0.1' }, 403],
  ['a whole address as target', 'http://127.0.0.1/', {}, 403],
])('%s is refused', async (_name, target, headers, status) => {
  expect((await get(target, headers)).status).toBe(status);
});

test('even with the cookie: a rebound host, an image inside another site, and paths that leave the folder are refused', async () => {
  const statuses = [
    (await get('/', { cookie, host: `evil.example:${server.port}` })).status,
    (await get('/image/7', { cookie, 'sec-fetch-site': 'same-site' })).status,
    (await get('/image/7', { cookie, 'sec-fetch-site': 'cross-site' })).status,
    (await get('/../secret.txt', { cookie })).status,
    (await get('/%2e%2e/secret.txt', { cookie })).status,
    (await get('/..%2fsecret.txt', { cookie })).status,
    (await get('/assets/..%5c..%5csecret.txt', { cookie })).status,
    (await get('/%00', { cookie })).status,
    (await get('/%zz', { cookie })).status,
    (await get('/assets', { cookie })).status,
    (await get('/', { cookie }, 'POST')).status,
  ];
  expect(statuses).toEqual([403, 403, 403, 404, 404, 404, 404, 404, 404, 404, 405]);
});

test('the API answers, refuses what is malformed, and pushes events until the client goes', async () => {
  const socket = await openSocket({ cookie, origin: `http://127.0.0.1:${server.port}` });
  const received: Record<string, unknown> = {};
  socket.on('message', (data: Buffer) => {
    const { id, event, ...rest } = JSON.parse(data.toString());
    received[id ?? event] = rest;
  });
  socket.send('no json');
  socket.send(JSON.stringify({ id: 1, method: 'suggestProjectPath', input: { folder: '/a' } }));
  socket.send(JSON.stringify({ id: 2, method: 'suggestProjectPath', input: { folder: 3 } }));
  socket.send(JSON.stringify({ id: 3, method: 'constructor', input: {} }));
  await expect.poll(() => Object.keys(received)).toHaveLength(3);
  service.emit('projectChanged', null);
  await expect.poll(() => Object.keys(received)).toHaveLength(4);
  expect(received).toEqual({
    1: { result: { ok: true, value: { path: '/a.winnow', exists: false } } },
    2: {
      result: {
        ok: false,
        error: { code: 'invalid-input', message: expect.stringContaining('suggestProjectPath (folder)') },
      },
    },
    3: { result: { ok: false, error: { code: 'invalid-input', message: 'There is no method "constructor".' } } },
    projectChanged: { payload: null },
  });
  expect(service.listeners()).toBe(6);
  socket.close();
  await expect.poll(() => service.listeners()).toBe(0);
});

test.each([
  ['another origin', { origin: 'http://127.0.0.1:1' }, true, '/api'],
  ['no origin', {}, true, '/api'],
  ['no cookie', { origin: 'own' }, false, '/api'],
  ['another path', { origin: 'own' }, true, '/other'],
  ['a rebound host', { origin: 'http://evil.example', host: 'evil.example' }, true, '/api'],
])('a WebSocket with %s is refused', async (_name, headers, withCookie, target) => {
  const sent: Record<string, string> = { ...headers, ...(withCookie ? { cookie } : {}) };
  if (sent.origin === 'own') sent.origin = `http://127.0.0.1:${server.port}`;
  await expect(openSocket(sent, target)).rejects.toThrow('403');
});

test('a port in use is named, and without a wish another one is found', async () => {
  const options = {
    service,
    logger: createMemoryLogger(),
    rendererFolder: path.join(folder, 'renderer'),
    firstPage: '/',
  };
  await expect(startServer({ ...options, port: server.port })).rejects.toThrow(
    `Port ${server.port} is in use by another program.`,
  );
  const others = [await startServer({ ...options, port: null }), await startServer({ ...options, port: null })];
  expect(new Set(others.map(({ port }) => port)).size).toBe(2);
  for (const other of others) await other.close();
});

test('a window that is not built is said', async () => {
  await expect(
    startServer({ service, logger: createMemoryLogger(), rendererFolder: folder, port: null, firstPage: '/' }),
  ).rejects.toThrow('npm run build');
});

test('closing ends open windows and does not wait for them', async () => {
  const socket = await openSocket({ cookie, origin: `http://127.0.0.1:${server.port}` });
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await server.close();
  expect(await closed).toBe(1001);
});

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A request as written, without the corrections that `fetch` makes to paths and headers. */
function get(target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: server.port, path: target, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end();
  });
}

function openSocket(headers: Record<string, string>, target = '/api'): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${target}`, { headers });
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
  });
}

async function freePort(): Promise<number> {
  const probe = http.createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
