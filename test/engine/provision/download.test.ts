import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { download, type DownloadRequest } from '../../../src-main/engine/provision/download.ts';

const content = randomBytes(300_000);
const md5 = createHash('md5').update(content).digest('base64');

let folder: string;
let stopServer: () => Promise<void> = async () => undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-download-'));
});

afterEach(async () => {
  await stopServer();
  rmSync(folder, { recursive: true, force: true });
});

test('a cut connection is taken up where it broke', async () => {
  const ranges: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    ranges.push(request.headers.range);
    if (ranges.length === 1) return void cutAfter(response, 100_000);
    answerRange(request, response, { 'x-goog-hash': `crc32c=AAAAAA==, md5=${md5}` });
  });

  const outcome = await download(requestFor(url));

  expect(outcome).toEqual({ kind: 'complete', bytes: content.length, checked: 'size and MD5' });
  expect(ranges).toEqual([undefined, 'bytes=100000-']);
  expect(readFileSync(path.join(folder, 'archive')).equals(content)).toBe(true);
  expect(readdirSync(folder)).toEqual(['archive']);
});

test('a part of another version of the file is not continued', async () => {
  writeFileSync(path.join(folder, 'archive.part'), 'bytes of an older file');
  writeFileSync(path.join(folder, 'archive.part.validator'), '"older"');
  const url = await serve((request, response) => answerRange(request, response));

  expect(await download(requestFor(url))).toMatchObject({ kind: 'complete', bytes: content.length });
  expect(readFileSync(path.join(folder, 'archive')).equals(content)).toBe(true);
});

test('a part that is already the whole file is fetched again rather than trusted', async () => {
  writeFileSync(path.join(folder, 'archive.part'), content);
  writeFileSync(path.join(folder, 'archive.part.validator'), '"v1"');
  const url = await serve((request, response) => answerRange(request, response));

  expect(await download(requestFor(url))).toMatchObject({ kind: 'complete', bytes: content.length });
});

test.each([
  [
    'the server',
    {},
    { 'x-goog-hash': `md5=${Buffer.alloc(16).toString('base64')}` },
    /MD5 digest is not the published one/,
  ],
  ['the caller', { sha256: '0'.repeat(64) }, {}, /SHA-256 digest is not the published one/],
])(
  'a file with another digest than %s published is refused and removed',
  async (_publisher, known, headers, reason) => {
    const url = await serve((request, response) => answerRange(request, response, headers));

    const outcome = await download({ ...requestFor(url), ...known });

    expect(outcome).toEqual({ kind: 'failed', because: expect.stringMatching(reason) });
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('a file that never comes whole gets no name', async () => {
  const url = await serve((_request, response) => cutAfter(response, 1000));

  const outcome = await download(requestFor(url));

  expect(outcome.kind).toBe('failed');
  expect(existsSync(path.join(folder, 'archive'))).toBe(false);
});

test('a silent server is given up on', async () => {
  const url = await serve(() => undefined);
  const outcome = await download({ ...requestFor(url), timeouts: { connect: 200, stall: 200 } });
  expect(outcome).toEqual({ kind: 'failed', because: 'no answer within 0.2 s' });
});

test('a refusal says what the server answered', async () => {
  const url = await serve((_request, response) => response.writeHead(404).end());
  expect(await download(requestFor(url))).toEqual({ kind: 'failed', because: 'the server answered 404 Not Found' });
});

function requestFor(url: string): DownloadRequest {
  return { url, file: path.join(folder, 'archive'), onProgress: () => undefined };
}

function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  stopServer = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/archive`));
  });
}

/** Answers as a storage server does: the rest of the file when the caller's part is of this version, else the whole. */
function answerRange(request: IncomingMessage, response: ServerResponse, headers: Record<string, string> = {}): void {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  const sameVersion = request.headers['if-range'] === '"v1"';
  if (sameVersion && start >= content.length) return void response.writeHead(416).end();
  if (sameVersion && start > 0) {
    response.writeHead(206, {
      ...headers,
      etag: '"v1"',
      'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      'content-length': content.length - start,
    });
    return void response.end(content.subarray(start));
  }
  response.writeHead(200, { ...headers, etag: '"v1"', 'content-length': content.length });
  response.end(content);
}

/** Announces the whole file and breaks the connection after some bytes. */
function cutAfter(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { etag: '"v1"', 'content-length': content.length });
  response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50));
}
