import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** One file of the built window with the headers that it is served with. */
export interface WindowFile {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

/** Scripts and styles only from the app itself; images also from the samples' protocol; nothing can be sent elsewhere. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' winnow: data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const contentTypes: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Headers of everything that is answered, page, image or refusal. */
export const guardHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** Reads a file of the built window by the path of its address; null if there is no such file. */
export async function readWindowFile(folder: string, urlPath: string): Promise<WindowFile | null> {
  const relative = toRelativePath(urlPath);
  if (relative === null) return null;
  const contentType = contentTypes[path.extname(relative)];
  if (contentType === undefined) return null;
  try {
    const bytes = await readFile(path.join(folder, relative));
    // Vite puts a hash of the content into the name of all that lies in assets/.
    const cacheControl = relative.startsWith('assets/') ? 'private, max-age=31536000, immutable' : 'no-store';
    return { bytes, headers: { ...guardHeaders, 'Content-Type': contentType, 'Cache-Control': cacheControl } };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The path inside the folder, `/` separated; null for anything that could leave it. */
function toRelativePath(urlPath: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  if (decoded === '/') return 'index.html';
  const parts = decoded.slice(1).split('/');
  const isPlain = (part: string): boolean => /^[\w-][\w.-]*$/.test(part);
  return decoded.startsWith('/') && parts.every(isPlain) ? parts.join('/') : null;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR';
}
