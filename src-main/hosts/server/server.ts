import { existsSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { encodeMessage } from '../../../shared/binary-message.ts';
import type { Logger } from '../../../shared/logger.ts';
import { AppError } from '../../../shared/result.ts';
import type { Service } from '../../app/service.ts';
import { createConnection } from '../connection.ts';
import { imageCacheControl, parseImageRequest } from '../image-request.ts';
import { guardHeaders, readWindowFile } from '../window-files.ts';
import { createSession, isFromOtherSite, isLoopbackHost, isOwnOrigin, type Session } from './session.ts';

export interface ServerOptions {
  service: Service;
  logger: Logger;
  /** The built window. */
  rendererFolder: string;
  /** Null: the usual port, or any free one if that is taken. */
  port: number | null;
  /** Path and query that the address with the token leads to. */
  firstPage: string;
}

export interface RunningServer {
  port: number;
  /** The address with the token; the only way in. */
  url: string;
  close(): Promise<void>;
}

/** A fixed port keeps bookmarks and tunnels working from one run to the next. */
const usualPort = 4747;
/** A decision about a million samples is about 8 MB of JSON. */
const largestMessageBytes = 32 * 2 ** 20;

/** Serves the window, the samples' images and the API to browsers of this machine that know the token. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { service, logger, rendererFolder, firstPage } = options;
  if (!existsSync(path.join(rendererFolder, 'index.html'))) {
    throw new AppError(
      'not-found',
      `The window is not built (${rendererFolder} has no index.html). Run "npm run build" first.`,
    );
  }
  const server = http.createServer();
  const port = await listen(server, options.port);
  const session = createSession(port);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: largestMessageBytes, perMessageDeflate: false });

  server.on('request', (request, response) => {
    answer(request, response, { service, session, port, rendererFolder, firstPage }).catch((error: unknown) => {
      logger.error(`"${request.url ?? ''}" could not be answered`, error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'This could not be read. The log of winnow serve says why.');
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const reason = refusalOfSocket(request, session, port);
    if (reason !== null) {
      logger.warn(`A WebSocket was refused: ${reason}.`);
      refuseSocket(socket);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => serveSocket(webSocket, service, logger));
  });

  return {
    port,
    url: `http://127.0.0.1:${port}/?token=${session.token}`,
    async close() {
      for (const webSocket of sockets.clients) webSocket.close(1001, 'winnow serve has ended');
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      // An open window must not keep the server from ending.
      const forced = setTimeout(() => {
        for (const webSocket of sockets.clients) webSocket.terminate();
        server.closeAllConnections();
      }, 500);
      await closed;
      clearTimeout(forced);
    },
  };
}

interface AnswerContext {
  service: Service;
  session: Session;
  port: number;
  rendererFolder: string;
  firstPage: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, context: AnswerContext): Promise<void> {
  const { service, session, port } = context;
  if (!isLoopbackHost(request.headers.host, port)) {
    refuse(response, 403, 'Winnow answers only under its loopback address.');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(response, 405, 'Winnow answers only GET here.', { Allow: 'GET, HEAD' });
    return;
  }
  const url = requestUrl(request, port);
  if (url === null || !session.isAdmitted(request, url)) {
    refuse(response, 403, 'Open the address with the token that winnow serve printed.');
    return;
  }
  if (url.searchParams.has('token')) {
    // The token leaves the address bar and the history at once.
    response
      .writeHead(303, {
        ...guardHeaders,
        'Set-Cookie': session.cookie,
        'Cache-Control': 'no-store',
        Location: context.firstPage,
      })
      .end();
    return;
  }
  if (url.pathname !== '/' && isFromOtherSite(request)) {
    refuse(response, 403, 'Another page cannot use what Winnow serves.');
    return;
  }
  if (url.pathname.startsWith('/image/')) {
    await answerImage(response, service, url);
    return;
  }
  const file = await readWindowFile(context.rendererFolder, url.pathname);
  if (file === null) refuse(response, 404, 'There is nothing here.');
  else send(response, 200, file.bytes, { ...file.headers, 'Cross-Origin-Resource-Policy': 'same-origin' });
}

async function answerImage(response: ServerResponse, service: Service, url: URL): Promise<void> {
  const request = parseImageRequest(url.pathname.slice('/image/'.length), url.searchParams);
  const image = request === null ? null : await service.readImage(request.id, request.size);
  if (image === null) {
    refuse(response, 404, 'The open project has no such image.');
    return;
  }
  send(response, 200, image.bytes, {
    ...guardHeaders,
    'Content-Type': image.contentType,
    'Cache-Control': imageCacheControl(url.searchParams),
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
}

function serveSocket(webSocket: WebSocket, service: Service, logger: Logger): void {
  const connection = createConnection(service, logger, (message) => {
    if (webSocket.readyState === webSocket.OPEN) webSocket.send(encodeMessage(message));
  });
  webSocket.on('message', (data, isBinary) => {
    connection.receive(isBinary ? null : parseJson((data as Buffer).toString('utf8')));
  });
  webSocket.on('error', (error) => logger.warn(`A window's connection broke: ${error.message}`));
  webSocket.on('close', () => connection.close());
}

/** Why the upgrade is refused; null if it is welcome. */
function refusalOfSocket(request: IncomingMessage, session: Session, port: number): string | null {
  if (!isLoopbackHost(request.headers.host, port)) return 'its host is not this loopback address';
  if (!isOwnOrigin(request)) return `its origin is ${request.headers.origin ?? 'missing'}`;
  const url = requestUrl(request, port);
  if (url?.pathname !== '/api') return 'its address is not /api';
  return session.isAdmitted(request, url) ? null : 'it has neither the cookie nor the token';
}

function refuseSocket(socket: Duplex): void {
  // The browser may be gone already; that is no failure of ours.
  socket.on('error', () => undefined);
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

function refuse(response: ServerResponse, status: number, message: string, headers: Record<string, string> = {}): void {
  send(response, status, Buffer.from(`${message}\n`), {
    ...guardHeaders,
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    ...headers,
  });
}

function send(response: ServerResponse, status: number, bytes: Uint8Array, headers: Record<string, string>): void {
  response.writeHead(status, { ...headers, 'Content-Length': bytes.byteLength });
  // For HEAD, Node leaves the body out by itself.
  response.end(bytes);
}

function requestUrl(request: IncomingMessage, port: number): URL | null {
  // A request line may hold a whole address or `//host/…`; only a path is meant for this server.
  const target = request.url ?? '/';
  return target.startsWith('/') && !target.startsWith('//') ? URL.parse(target, `http://127.0.0.1:${port}`) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function listen(server: http.Server, port: number | null): Promise<number> {
  if (port !== null) return await listenOn(server, port);
  try {
    return await listenOn(server, usualPort);
  } catch {
    return await listenOn(server, 0);
  }
}

function listenOn(server: http.Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(new AppError('busy', portMessage(error, port), { cause: error }));
    };
    server.once('error', onError);
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function portMessage(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} is in use by another program. Choose another with --port, or leave --port out.`;
  if (error.code === 'EACCES')
    return `Port ${port} needs more rights than this account has. Choose one above 1023 with --port.`;
  return `Port ${port} cannot be listened on: ${error.message}`;
}
