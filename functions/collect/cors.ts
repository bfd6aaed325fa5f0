// Which CORS headers an answer carries. An allowed origin is echoed, never `*`, and Retry-After is exposed: without that, web SDKs
// cannot read it. Pure. Called by the collector.
import { allowsOrigin } from './sources.ts';
import type { Headers } from './respond.ts';

const PREFLIGHT_SECONDS = 3_600;
const ALLOWED_HEADERS = 'authorization, content-type, content-encoding, x-write-key';

/** Headers for an answer to `origin`; none when there is no origin, or it is not in the list. */
export function corsHeaders(origin: string | undefined, origins: ReadonlySet<string>, allowsCredentials: boolean): Headers {
  if (origin === undefined || !allowsOrigin(origins, origin)) return {};
  const headers: Headers = { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'Retry-After' };
  if (allowsCredentials) headers['access-control-allow-credentials'] = 'true';
  return headers;
}

/** Headers for a preflight: it carries no key, so any enabled source that allows the origin is enough. */
export function preflightHeaders(origin: string | undefined, origins: ReadonlySet<string>, allowsCredentials: boolean, asked: string | undefined): Headers {
  const headers = corsHeaders(origin, origins, allowsCredentials);
  if (headers['access-control-allow-origin'] === undefined) return {};
  headers['access-control-allow-methods'] = 'POST';
  headers['access-control-allow-headers'] = asked !== undefined && /^[\w\-, ]{1,512}$/.test(asked) ? asked : ALLOWED_HEADERS;
  headers['access-control-max-age'] = PREFLIGHT_SECONDS;
  return headers;
}
