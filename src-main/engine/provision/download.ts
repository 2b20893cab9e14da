import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../../../shared/result.ts';

export interface DownloadRequest {
  url: string;
  /** Where the complete file appears; until then its bytes are in `<file>.part`. */
  file: string;
  /** Known beforehand, where published; a digest that the server sends is checked as well. */
  sha256?: string;
  /** `total` is null where the server does not tell it. */
  onProgress: (bytes: number, total: number | null) => void;
  timeouts?: DownloadTimeouts;
}

export interface DownloadTimeouts {
  /** Milliseconds until the first byte of an answer. */
  connect: number;
  /** Milliseconds without a byte after which the connection counts as dead. */
  stall: number;
}

export type DownloadOutcome =
  /** `checked` says for people what the file was compared with. */
  { kind: 'complete'; bytes: number; checked: string } | { kind: 'failed'; because: string };

/**
 * Downloads into `<file>.part`, goes on where an earlier attempt or a cut connection left it, compares size and digest, and
 * only then gives the file its name. Never throws for what a network or a server does.
 */
export async function download(request: DownloadRequest): Promise<DownloadOutcome> {
  const part = `${request.file}.part`;
  await mkdir(path.dirname(request.file), { recursive: true });
  const present = await fileBytes(request.file);
  if (present > 0) return { kind: 'complete', bytes: present, checked: 'when it was downloaded' };
  let failuresInARow = 0;
  for (;;) {
    const before = await fileBytes(part);
    try {
      const facts = await fetchRest(request, part);
      return await finish(request, part, facts);
    } catch (error) {
      if (error instanceof UselessPart) continue;
      const because = failureReason(error);
      if (error instanceof Refusal) return { kind: 'failed', because };
      failuresInARow = (await fileBytes(part)) > before ? 1 : failuresInARow + 1;
      // A server that cannot be reached at all is not asked twice; a connection that was cut is taken up again.
      if ((await fileBytes(part)) === 0 || failuresInARow > 3) return { kind: 'failed', because };
      await delay(250 * failuresInARow);
    }
  }
}

/** An answer that another attempt would not change. */
class Refusal extends Error {}

/** The part could not be continued and is removed; the next attempt asks for the whole. */
class UselessPart extends Error {}

/** What the server says about the whole file. */
interface FileFacts {
  total: number | null;
  md5: string | null;
}

const defaultTimeouts: DownloadTimeouts = { connect: 8000, stall: 30_000 };

/** Appends what is missing to the part; throws when the connection breaks. */
async function fetchRest(request: DownloadRequest, part: string): Promise<FileFacts> {
  const timeouts = request.timeouts ?? defaultTimeouts;
  const abort = new AbortController();
  let timer = setTimeout(
    () => abort.abort(new Error(`no answer within ${timeouts.connect / 1000} s`)),
    timeouts.connect,
  );
  try {
    const have = await fileBytes(part);
    const validator = have > 0 ? await readFile(validatorFile(part), 'utf8').catch(() => null) : null;
    const resumable = have > 0 && validator !== null;
    const response = await fetch(request.url, {
      signal: abort.signal,
      headers: {
        'accept-encoding': 'identity',
        ...(resumable ? { range: `bytes=${have}-`, 'if-range': validator } : {}),
      },
    });
    const resumed = response.status === 206;
    if (response.status === 416) {
      await removePart(part);
      throw new UselessPart('the server cannot continue the part that is here');
    }
    if (!response.ok || response.body === null)
      throw new Refusal(`the server answered ${response.status} ${response.statusText}`);
    const offset = resumed ? have : 0;
    const total = totalBytes(response, offset);
    await rememberValidator(part, response);
    let bytes = offset;
    request.onProgress(bytes, total);
    const counted = async function* (body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(new Error(`no byte for ${timeouts.stall / 1000} s`)), timeouts.stall);
        bytes += chunk.byteLength;
        request.onProgress(bytes, total);
        yield chunk;
      }
    };
    await pipeline(response.body, counted, createWriteStream(part, { flags: resumed ? 'a' : 'w' }));
    if (total !== null && bytes < total) throw new Error(`the connection ended at ${bytes} of ${total} bytes`);
    return { total, md5: publishedMd5(response) };
  } finally {
    clearTimeout(timer);
  }
}

/** Checks the part and gives it its name; a part that is not what was published is removed. */
async function finish(request: DownloadRequest, part: string, facts: FileFacts): Promise<DownloadOutcome> {
  const bytes = await fileBytes(part);
  const wrong = await mismatch(request, part, bytes, facts);
  if (wrong !== null) {
    await removePart(part);
    return { kind: 'failed', because: wrong };
  }
  await rename(part, request.file);
  await rm(validatorFile(part), { force: true });
  const digests = [request.sha256 === undefined ? '' : 'SHA-256', facts.md5 === null ? '' : 'MD5'].filter(
    (name) => name !== '',
  );
  const checked = [...(facts.total === null ? [] : ['size']), ...digests].join(' and ');
  return { kind: 'complete', bytes, checked: checked || 'nothing, for the server publishes neither size nor digest' };
}

async function mismatch(
  request: DownloadRequest,
  part: string,
  bytes: number,
  facts: FileFacts,
): Promise<string | null> {
  if (facts.total !== null && bytes !== facts.total) return `${bytes} bytes came where ${facts.total} were announced`;
  if (request.sha256 !== undefined && (await digest(part, 'sha256', 'hex')) !== request.sha256.toLowerCase()) {
    return 'its SHA-256 digest is not the published one';
  }
  if (facts.md5 !== null && (await digest(part, 'md5', 'base64')) !== facts.md5)
    return 'its MD5 digest is not the published one';
  return null;
}

async function digest(file: string, algorithm: string, encoding: 'hex' | 'base64'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest(encoding);
}

/** Bytes of the whole file, from `Content-Range` of a part or `Content-Length` of the whole. */
function totalBytes(response: Response, offset: number): number | null {
  const range = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (range !== undefined) return Number(range);
  const length = response.headers.get('content-length');
  return length === null ? null : Number(length) + offset;
}

/** Google's storage sends `x-goog-hash: crc32c=…, md5=…`. */
function publishedMd5(response: Response): string | null {
  return /md5=([A-Za-z0-9+/=]+)/.exec(response.headers.get('x-goog-hash') ?? '')?.[1] ?? null;
}

/** A part can only be continued while the server still holds the same file; its ETag or date is kept beside the part. */
async function rememberValidator(part: string, response: Response): Promise<void> {
  const validator = response.headers.get('etag') ?? response.headers.get('last-modified');
  if (validator === null || validator.startsWith('W/')) await rm(validatorFile(part), { force: true });
  else await writeFile(validatorFile(part), validator);
}

async function removePart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(validatorFile(part), { force: true });
}

function validatorFile(part: string): string {
  return `${part}.validator`;
}

async function fileBytes(file: string): Promise<number> {
  return stat(file).then(
    (stats) => stats.size,
    () => 0,
  );
}

/** `fetch` says only "fetch failed"; the reason is in its cause. */
function failureReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return errorMessage(cause instanceof Error ? cause : error);
}
