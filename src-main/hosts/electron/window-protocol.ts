import { protocol } from 'electron';
import { imageCacheControl, parseImageRequest, type ImageRequest } from '../image-request.ts';
import { guardHeaders, readWindowFile } from '../window-files.ts';
import type { ServedImage } from './service-messages.ts';

/** Where the window is loaded from. */
export const appOrigin = 'winnow://app';

const scheme = 'winnow';

/** Must be called before Electron is ready: the window's scheme behaves like a web origin of its own. */
export function registerWindowScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/**
 * Answers `winnow://app/…` from the built window and `winnow://sample/<id>` from the open project, and nothing else: no address can
 * name a file.
 */
export function serveWindow(
  rendererFolder: string,
  readImage: (request: ImageRequest) => Promise<ServedImage | null>,
): void {
  protocol.handle(scheme, async ({ url: address, method }) => {
    const url = new URL(address);
    if (method !== 'GET') return refusal(405);
    if (url.host === 'app') {
      const file = await readWindowFile(rendererFolder, url.pathname);
      return file === null ? refusal(404) : new Response(file.bytes, { headers: file.headers });
    }
    const request = url.host === 'sample' ? parseImageRequest(url.pathname.slice(1), url.searchParams) : null;
    if (request === null) return refusal(404);
    try {
      const image = await readImage(request);
      if (image === null) return refusal(404);
      return new Response(new Uint8Array(image.bytes), {
        headers: {
          ...guardHeaders,
          'Content-Type': image.contentType,
          'Cache-Control': imageCacheControl(url.searchParams),
        },
      });
    } catch {
      // The service died meanwhile; the window asks again when it is back.
      return refusal(503);
    }
  });
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: { ...guardHeaders, 'Cache-Control': 'no-store' } });
}
