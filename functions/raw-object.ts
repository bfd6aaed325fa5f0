// The names of raw files: in go a stream, a time and a message, out comes where its bytes lie. Called by write-storage, by the
// compaction in `maintain`, and by `replay`, so that all three agree.

/** One hour of a stream, in UTC by publish time: `dt` as YYYY-MM-DD, `hour` as HH. */
export type RawHour = { stream: string; dt: string; hour: string };

export const hourPrefix = ({ stream, dt, hour }: RawHour): string => `raw/${stream}/dt=${dt}/hour=${hour}/`;
export const dayPrefix = (stream: string, dt: string): string => `raw/${stream}/dt=${dt}/`;

export function hourOf(stream: string, ms: number): RawHour {
  const iso = new Date(ms).toISOString();
  return { stream, dt: iso.slice(0, 10), hour: iso.slice(11, 13) };
}

/** Publish time and message id are Pub/Sub's and never change, so a redelivery names the same object. */
export function rawObjectName(stream: string, messageId: string, publishTimeMs: number): string {
  return `${hourPrefix(hourOf(stream, publishTimeMs))}${messageId}.ndjson.gz`;
}

const RAW_NAME = /^raw\/([a-z][a-z0-9_-]*)\/dt=(\d{4}-\d{2}-\d{2})\/hour=(\d{2})\/([^/]+)\.ndjson\.gz$/;
const COMPACTED = 'compacted-';

export type RawObject = RawHour & { base: string; isCompacted: boolean };

/** What a name says; undefined when it is none of a raw file. */
export function parseRawObjectName(name: string): RawObject | undefined {
  const [, stream, dt, hour, base] = RAW_NAME.exec(name) ?? [];
  if (stream === undefined || dt === undefined || hour === undefined || base === undefined) return undefined;
  return { stream, dt, hour, base, isCompacted: base.startsWith(COMPACTED) };
}

export const compactedObjectName = (hour: RawHour, id: string): string => `${hourPrefix(hour)}${COMPACTED}${id}.ndjson.gz`;
