import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { connectSocket, retryDelayMs, type ConnectionStatus } from '../../src-renderer/client.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serve(port = 0): Promise<{ server: WebSocketServer; port: number }> {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

/** Answers every request with its own input, save the method "hang". */
function echo(socket: ServerSocket): void {
  socket.on('message', (data: Buffer) => {
    const { id, method, input } = JSON.parse(data.toString()) as { id: number; method: string; input: unknown };
    if (method !== 'hang') socket.send(JSON.stringify({ id, result: { ok: true, value: input } }));
  });
}

function connectTo(port: number): ReturnType<typeof connectSocket> {
  const link = connectSocket(`ws://127.0.0.1:${port}/api`);
  cleanups.push(() => link.close());
  return link;
}

function statusOf(link: ReturnType<typeof connectSocket>, wanted: ConnectionStatus): Promise<void> {
  return new Promise((resolve) => {
    link.watchConnection((status) => {
      if (status === wanted) resolve();
    });
  });
}

test('calls made before the connection stands are answered, each with its own answer', async () => {
  const { server, port } = await serve();
  server.on('connection', echo);
  const { transport } = connectTo(port);
  const answers = await Promise.all([transport.invoke('a', 1), transport.invoke('b', { two: 2 })]);
  expect(answers).toEqual([
    { ok: true, value: 1 },
    { ok: true, value: { two: 2 } },
  ]);
});

test('events reach their listeners until they leave', async () => {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[ServerSocket]>;
  const link = connectTo(port);
  const heard: unknown[] = [];
  const stop = link.transport.subscribe('training', (payload) => heard.push(payload));
  const [socket] = await connected;
  echo(socket);
  socket.send(JSON.stringify({ event: 'training', payload: 1 }));
  socket.send(JSON.stringify({ event: 'importProgress', payload: 2 }));
  await link.transport.invoke('round trip', null);
  stop();
  socket.send(JSON.stringify({ event: 'training', payload: 3 }));
  await link.transport.invoke('round trip', null);
  expect(heard).toEqual([1]);
});

test('a lost connection fails what was under way, says so, and comes back by itself', async () => {
  const first = await serve();
  first.server.on('connection', echo);
  const link = connectTo(first.port);
  await statusOf(link, 'open');
  const hanging = link.transport.invoke('hang', null);
  for (const client of first.server.clients) client.terminate();
  await new Promise((resolve) => first.server.close(resolve));
  expect(await hanging).toMatchObject({ ok: false, error: { message: expect.stringContaining('lost') as string } });
  expect(await link.transport.invoke('a', 1)).toMatchObject({ ok: false });

  const second = await serve(first.port);
  second.server.on('connection', echo);
  await statusOf(link, 'open');
  expect(await link.transport.invoke('a', 1)).toEqual({ ok: true, value: 1 });
});

test('pauses between tries grow to a limit', () => {
  expect([0, 1, 2, 10].map(retryDelayMs)).toEqual([250, 500, 1000, 5000]);
});
