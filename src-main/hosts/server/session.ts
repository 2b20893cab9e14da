import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The secret of one run of the server, and how a browser proves that it knows it. */
export interface Session {
  token: string;
  /** The `Set-Cookie` value that admits the browser that has shown the token. */
  cookie: string;
  /** Whether the request carries the cookie, or the token in its address. */
  isAdmitted(request: IncomingMessage, url: URL): boolean;
  isToken(candidate: string): boolean;
}

/** Cookies are shared by all ports of a host, so the port is in the cookie's name. */
export function createSession(port: number): Session {
  const token = randomBytes(32).toString('base64url');
  const name = `winnow-${port}`;
  const isToken = (candidate: string): boolean => sameText(candidate, token);
  return {
    token,
    cookie: `${name}=${token}; Path=/; HttpOnly; SameSite=Strict`,
    isToken,
    isAdmitted(request, url) {
      const fromUrl = url.searchParams.get('token');
      if (fromUrl !== null) return isToken(fromUrl);
      const fromCookie = cookieValue(request.headers.cookie ?? '', name);
      return fromCookie !== null && isToken(fromCookie);
    },
  };
}

/**
 * A page that a rebound DNS name leads to this port still sends its own name as the host, so only the loopback names pass.
 */
export function isLoopbackHost(host: string | undefined, port: number): boolean {
  return host !== undefined && [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`].includes(host.toLowerCase());
}

/** Browsers send the cookie along with a WebSocket of any site on this host, so the page must be ours. */
export function isOwnOrigin(request: IncomingMessage): boolean {
  return request.headers.origin !== undefined && request.headers.origin === `http://${request.headers.host ?? ''}`;
}

/** Whether another site's page caused the request; browsers that do not say are covered by the cookie's SameSite. */
export function isFromOtherSite(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

function cookieValue(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const separator = pair.indexOf('=');
    if (separator !== -1 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return null;
}

/** In constant time, so that no timing tells how much of a guess was right. */
function sameText(candidate: string, expected: string): boolean {
  const left = Buffer.from(candidate);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}
