// The sources document in, "who has this write key" out. The document is read again while the collector runs, so that a source
// is switched off without a deployment; a broken one never replaces a good one. Called by the collector for every request.
import { validateSourcesAll } from '../../schemas/generated/validators.js';
import { STREAMS } from '../../schemas/generated/streams.ts';
import type { SourcesDocument } from '../../schemas/generated/types.ts';
import type { Clock } from '../clock.ts';
import { ingestError, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export type LiveSource = {
  id: string;
  platform: string | undefined;
  streams: ReadonlySet<string>;
  origins: ReadonlySet<string>;
  isEnabled: boolean;
  /** False: ids of people are not stored, whatever a client says. */
  storesIds: boolean;
  eventsPerSecondMax: number | undefined;
  rate: TokenBucket | undefined;
};

export type SourceList = {
  byKey: ReadonlyMap<string, LiveSource>;
  /** Origins that any enabled source allows: what a preflight, which carries no key, is judged by. */
  origins: ReadonlySet<string>;
};

/** Makes the list of a document's text, or names every problem of it. */
export function readSources(text: string, previous: SourceList | undefined, clock: Clock): { list: SourceList } | { problems: string[] } {
  let document: SourcesDocument;
  try {
    document = JSON.parse(text) as SourcesDocument;
  } catch (error) {
    return { problems: [`it is not JSON: ${(error as Error).message}`] };
  }
  if (!validateSourcesAll(document)) {
    return { problems: (validateSourcesAll.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message ?? error.keyword}${detailOf(error.params)}`) };
  }
  const old = new Map([...(previous?.byKey.values() ?? [])].map((source) => [source.id, source]));
  const byKey = new Map<string, LiveSource>();
  const ids = new Set<string>();
  const origins = new Set<string>();
  const problems: string[] = [];
  for (const [index, entry] of document.sources.entries()) {
    if (ids.has(entry.id)) problems.push(`/sources/${index}/id "${entry.id}" is given twice`);
    ids.add(entry.id);
    const source = liveSource(entry, old.get(entry.id), clock);
    for (const key of entry.write_keys) {
      // The key itself stays out of logs.
      if (byKey.has(key)) problems.push(`/sources/${index}/write_keys has a key that source "${byKey.get(key)!.id}" has too`);
      byKey.set(key, source);
    }
    if (source.isEnabled) for (const origin of source.origins) origins.add(origin);
  }
  return problems.length > 0 ? { problems } : { list: { byKey, origins } };
}

function liveSource(entry: SourcesDocument['sources'][number], old: LiveSource | undefined, clock: Clock): LiveSource {
  const rateMax = entry.events_per_second_max;
  return {
    id: entry.id,
    platform: entry.platform,
    streams: new Set(entry.streams),
    origins: new Set(entry.origins ?? []),
    isEnabled: entry.enabled,
    storesIds: entry.analytics_storage !== 'No',
    eventsPerSecondMax: rateMax,
    // A document that is read again must not refill anybody's bucket.
    rate: rateMax === undefined ? undefined : old !== undefined && old.eventsPerSecondMax === rateMax ? old.rate : createTokenBucket(rateMax, clock),
  };
}

/** A stream that nobody knows is no error, or a document could not be written before the code that adds the stream is deployed. */
const unknownStreams = ({ byKey }: SourceList): string[] =>
  [...new Set([...byKey.values()].flatMap(({ id, streams }) => [...streams].filter((stream) => !(stream in STREAMS)).map((stream) => `${id}: ${stream}`)))];

const detailOf = (params: unknown): string => (params !== null && typeof params === 'object' && Object.keys(params).length > 0 ? ` (${JSON.stringify(params)})` : '');

/** Whether the origin may send. `*` means every one but "null", which sandboxed documents of anybody have. */
export const allowsOrigin = (origins: ReadonlySet<string>, origin: string): boolean => origins.has(origin) || (origins.has('*') && origin !== 'null');

export type SourceStore = {
  /** The list, when it was looked at a moment ago: no wait for most requests. */
  fresh: () => SourceList | undefined;
  /** The list that serves now, or why there is none. */
  current: () => Promise<SourceList | IngestError>;
};

export type SourceStoreOptions = {
  /** Text of the document. `version` changes whenever the text may have changed. */
  version: () => Promise<string>;
  read: () => Promise<string>;
  clock: Clock;
  log: Log;
};

export function createSourceStore({ version, read, clock, log }: SourceStoreOptions): SourceStore {
  let list: SourceList | undefined;
  let problem = 'it was not read yet';
  let seenVersion: string | undefined;
  let seenText: string | undefined;
  let readAt = -Infinity;
  let checkedAt = -Infinity;
  let underWay: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    try {
      const now = await version();
      if (now === seenVersion && clock() - readAt < LIMITS.sourcesReadMs) return;
      const text = await read();
      readAt = clock();
      seenVersion = now;
      if (text === seenText) return;
      const result = readSources(text, list, clock);
      seenText = text;
      if (!('list' in result)) return tell(result.problems.join('; '));
      list = result.list;
      // The same problem later is a new one.
      problem = '';
      const unknown = unknownStreams(list);
      if (unknown.length > 0) log('WARNING', 'A source names streams that this code does not know; it may be older than the document.', { unknown });
    } catch (error) {
      seenVersion = undefined;
      seenText = undefined;
      tell((error as Error).message);
    }
  };
  const tell = (reason: string): void => {
    if (reason !== problem) log('ERROR', 'The sources document cannot be used; the last good one serves.', { reason, has_last_good: list !== undefined });
    problem = reason;
  };

  const isDue = (now: number): boolean => now - checkedAt >= LIMITS.sourcesCheckMs || now < checkedAt;

  return {
    fresh: () => (underWay !== undefined || isDue(clock()) ? undefined : list),
    async current() {
      const now = clock();
      if (isDue(now)) {
        checkedAt = now;
        underWay ??= refresh().finally(() => { underWay = undefined; });
      }
      // One request in half a second waits for the file, so that a change counts from the next request on; a slow file is not waited for.
      if (underWay !== undefined) await Promise.race([underWay, new Promise((resolve) => setTimeout(resolve, list === undefined ? 2_000 : 100))]);
      return list ?? ingestError('sources_unreadable', { reason: problem });
    },
  };
}
