import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import type { Port } from '../../shared/trainer-protocol.ts';
import { createConnection } from '../../src-main/hosts/connection.ts';
import { createPortTransport } from '../../src-main/hosts/electron/port-transport.ts';
import type { ClientMessage, ServiceMessage } from '../../src-main/hosts/wire.ts';
import { createMemoryLogger, createSmallService } from './small-service.ts';

const open: MessagePort[] = [];

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

test('what is asked before the service is there is answered once it is', async () => {
  const transport = createPortTransport();
  const answer = transport.invoke('suggestProjectPath', { folder: '/a' });
  transport.attach(
    serve(createSmallService({ suggestProjectPath: ({ folder }) => ({ path: `${folder}.winnow`, exists: true }) })),
  );
  expect(await answer).toEqual({ ok: true, value: { path: '/a.winnow', exists: true } });
});

test('when the service dies, what it had not answered fails, and the next service takes over', async () => {
  const transport = createPortTransport();
  const connection: unknown[] = [];
  transport.subscribe('connection', (status) => connection.push(status));
  transport.attach(serve(createSmallService({ getProject: () => new Promise(() => undefined) })));

  const unanswered = transport.invoke('getProject', {});
  transport.detach();
  expect(await unanswered).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining('stopped unexpectedly') },
  });
  expect(await transport.invoke('getProject', {})).toMatchObject({ ok: false });

  transport.attach(serve(createSmallService({ getProject: () => null })));
  expect(await transport.invoke('getProject', {})).toEqual({ ok: true, value: null });
  expect(connection).toEqual(['lost', 'open']);
});

test('events reach a subscriber until it stops', async () => {
  const transport = createPortTransport();
  const service = createSmallService({ getProject: () => null });
  const heard: unknown[] = [];
  const stop = transport.subscribe('projectChanged', (payload) => heard.push(payload));
  transport.attach(serve(service));
  service.emit('projectChanged', null);
  await transport.invoke('getProject', {});
  stop();
  service.emit('projectChanged', null);
  await transport.invoke('getProject', {});
  expect(heard).toEqual([null]);
});

/** A service at the other end of a real message channel. */
function serve(service: ReturnType<typeof createSmallService>): Port<ClientMessage, ServiceMessage> {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const connection = createConnection(service, createMemoryLogger(), (message) => port2.postMessage(message));
  port2.on('message', (message) => connection.receive(message));
  return { post: (message) => port1.postMessage(message), onMessage: (listener) => void port1.on('message', listener) };
}
