// A write key in, the source it belongs to out, if that source may send here now. Called by the collector, before the body where
// the key is in a header or the query, else after it.
import { ingestError } from '../errors.ts';
import { accepted, rejected, retry, type Outcome } from '../outcome.ts';
import { allowsOrigin, type LiveSource, type SourceList } from './sources.ts';

export function checkSource(list: SourceList, key: string | undefined, stream: string, origin: string | undefined): Outcome<LiveSource> {
  if (key === undefined) return rejected(ingestError('no_key'));
  const source = list.byKey.get(key);
  if (source === undefined) return rejected(ingestError('unknown_key'));
  if (!source.isEnabled) return rejected(ingestError('source_disabled', { source: source.id }));
  if (!source.streams.has(stream)) return rejected(ingestError('stream_not_allowed', { source: source.id, stream }));
  if (origin !== undefined && !allowsOrigin(source.origins, origin)) return rejected(ingestError('origin_not_allowed', { source: source.id, origin: origin.slice(0, 200) }));
  const waitMs = source.rate?.waitMs() ?? 0;
  if (waitMs > 0) return retry(ingestError('rate_exceeded', { source: source.id, eventsPerSecondMax: source.eventsPerSecondMax ?? 0 }), waitMs);
  return accepted(source);
}
