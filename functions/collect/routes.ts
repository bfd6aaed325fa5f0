// A path in, what answers there out. The table of everything that the collector listens to. Paths are compared as they are sent:
// nothing is decoded, normalised or redirected (several SDKs take a redirect for success and drop the batch).
import type { CollectedStream } from '../validate/validators.ts';
import { protocol as ga4 } from './protocols/ga4/index.ts';
import { protocol as native } from './protocols/native/index.ts';
import type { Protocol } from './protocols/protocol.ts';

export type Route = {
  protocol: Protocol;
  stream: CollectedStream;
  /** Query parameters that may carry the write key. */
  keyParameters: readonly string[];
  /** Query parameters that the mapping needs; they travel in the envelope. */
  queryFacts: readonly string[];
  /** Whatever Content-Type says is ignored: this protocol's clients send none, or a wrong one. */
  acceptsAnyType: boolean;
  /** Browsers' clients of this protocol send credentials, so the answer must allow them. */
  allowsCredentials: boolean;
  /** Validates and explains, stores nothing. */
  isDebug: boolean;
};

const nativeRoute = (stream: CollectedStream): Route => ({
  protocol: native, stream, keyParameters: ['key'], queryFacts: [], acceptsAnyType: false, allowsCredentials: false, isDebug: false,
});
const ga4Route = (isDebug: boolean): Route => ({
  protocol: ga4, stream: 'events', keyParameters: ['api_secret', 'key'], queryFacts: ['measurement_id', 'firebase_app_id'], acceptsAnyType: true, allowsCredentials: true, isDebug,
});

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['/v1/events', nativeRoute('events')],
  ['/v1/inference', nativeRoute('inference')],
  ['/mp/collect', ga4Route(false)],
  ['/debug/mp/collect', ga4Route(true)],
]);

/** A trailing slash is the same place. */
export const routeAt = (path: string): Route | undefined => ROUTES.get(path) ?? (path.endsWith('/') ? ROUTES.get(path.slice(0, -1)) : undefined);
