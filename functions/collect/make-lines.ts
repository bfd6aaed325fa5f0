// A judged batch in, the lines that are published for it out: one on its stream with the body as sent, one on the rejected stream
// for each refused event. Pure. Called by the collector.
import { createHash } from 'node:crypto';
import { ENVELOPE_VERSION, type ClientFacts } from '../envelope.ts';
import { encodeLine, spliceLine, type BodyBytes, type EncodedLine } from '../envelope-line.ts';
import type { IngestError } from '../errors.ts';
import { compact } from '../publish/gzip-member.ts';
import { makeRejectedEnvelope, type Refusal } from '../publish/message.ts';
import { SCHEMA_VERSION, fieldsOf, type Verdict } from '../validate/validate-batch.ts';
import { deniedIn, seemsToDenyStorage, withoutDeniedIds, withoutIds } from './consent.ts';
import { decodeBody } from './decode-body.ts';
import type { ParsedBody } from './parse-body.ts';
import type { MappedBatch, MappingFacts } from './protocols/protocol.ts';
import type { Route } from './routes.ts';
import type { LiveSource } from './sources.ts';

/** What is known of a request once its source is. */
export type Received = {
  requestId: string;
  receivedMicros: number;
  source: LiveSource;
  route: Route;
  codeVersion: string;
  facts: MappingFacts;
};

const USER_AGENT_LENGTH_MAX = 512;
const RAW_BYTES_MAX = 64 * 1_024;

export type ClientHeaders = {
  userAgent: string | undefined;
  /** "country,region,city" of the load balancer. */
  geo: string | readonly string[] | undefined;
  query: Record<string, string> | undefined;
};

/** What the mapping, here and in the writer, may know of the sender. */
export function clientFacts(source: LiveSource, { userAgent, geo, query }: ClientHeaders): ClientFacts {
  const client: ClientFacts = {};
  if (userAgent !== undefined) client.user_agent = userAgent.slice(0, USER_AGENT_LENGTH_MAX).replace(/[^\x20-\x7e\xa0-\xff]/g, '?');
  const place = typeof geo === 'string' ? geoOf(geo) : undefined;
  if (place !== undefined) client.geo = place;
  if (!source.storesIds) client.analytics_storage = 'No';
  if (query !== undefined) client.query = query;
  if (source.platform !== undefined) client.platform = source.platform;
  return client;
}

function geoOf(header: string): ClientFacts['geo'] {
  const [country, region, city] = header.split(',').map((part) => part.trim().slice(0, 100));
  const geo: NonNullable<ClientFacts['geo']> = {};
  if (country) geo.country = country;
  if (region) geo.region = region;
  if (city) geo.city = city;
  return geo;
}

export type BatchLines = { events: EncodedLine; rejected: EncodedLine[] };

export function batchLines(parsed: ParsedBody, mapped: MappedBatch, verdict: Verdict, received: Received): BatchLines {
  const { facts, route, source } = received;
  const denied = deniedIn(mapped.batch, mapped.events, source.storesIds);
  const client: ClientFacts = denied === 'all' ? { ...facts.client, analytics_storage: 'No' } : facts.client;
  const request = requestOf(received, client);
  const hidden = hiddenEvents(parsed, denied === 'all');
  const isCopied = denied !== 'none' || hidden.size > 0;
  const stored = isCopied ? withoutPeople(parsed.value, mapped, route, denied, hidden) : parsed.value;
  const body: BodyBytes = isCopied ? plainBody(stored) : parsed.body;
  const head = { envelope: ENVELOPE_VERSION, ...request, events: mapped.events.length, rejected: [...verdict.rejected.keys()] };
  const asSent = isCopied ? route.protocol.toBatch(stored, facts).asSent : mapped.asSent;
  const cutAt = (index: number): CutEvent | undefined => {
    const event = mapped.asSent.events[index];
    const cut = parsed.cutEvents.get(event);
    return cut === undefined ? undefined : { text: cut.text, isHidden: hidden.has(event) };
  };
  return { events: spliceLine(head, { ...compact(body), inflatedBytes: body.inflatedBytes }, verdict.batchFieldBytes), rejected: refusedLines(cutAt, asSent, stored, verdict, request) };
}

/** An event that was never parsed, and whether its text must not be stored. */
type CutEvent = { text: string; isHidden: boolean };

/** The events that were never parsed, so that no id can be taken out of them, and may be of people without consent. */
function hiddenEvents(parsed: ParsedBody, isEverybodys: boolean): ReadonlySet<unknown> {
  const hidden = new Set<unknown>();
  for (const [event, { text }] of parsed.cutEvents) if (isEverybodys || seemsToDenyStorage(text)) hidden.add(event);
  return hidden;
}

function refusedLines(cutAt: (index: number) => CutEvent | undefined, asSent: MappedBatch['asSent'], stored: unknown, verdict: Verdict, request: Refusal['request']): EncodedLine[] {
  // Batch fields that are too large are not repeated for every event: one line holds the whole body.
  if (verdict.isBatchTooLarge) {
    const errors = verdict.rejected.get(0);
    return errors === undefined ? [] : [encodeLine(makeRejectedEnvelope({ request, stage: 'collect', errors, batch: stored }))];
  }
  if (verdict.rejected.size === 0) return [];
  const batch = fieldsOf(asSent.batch as Record<string, unknown>);
  return [...verdict.rejected].map(([index, errors]) => {
    const cut = cutAt(index);
    if (cut?.isHidden === true) return encodeLine(makeRejectedEnvelope({ request, stage: 'collect', errors, index, batch: withoutIds(batch), raw: rawOf(Buffer.from(cut.text), 0) }));
    return encodeLine(makeRejectedEnvelope({ request, stage: 'collect', errors, index, batch, event: cut?.text ?? asSent.events[index] }));
  });
}

/** The line for a body that cannot be read, or is no batch: its first bytes, its length and its hash. */
export function unreadableLine(bytes: Buffer, error: IngestError, received: Received): EncodedLine {
  const { source, facts } = received;
  // Nobody knows which of its words are ids, so of people without consent only the hash is kept.
  const mayKeep = source.storesIds && !seemsToDenyStorage(textOf(bytes));
  return encodeLine(makeRejectedEnvelope({ request: requestOf(received, facts.client), stage: 'collect', errors: [error], raw: rawOf(bytes, mayKeep ? RAW_BYTES_MAX : 0) }));
}

function textOf(bytes: Buffer): string {
  const decoded = decodeBody(bytes, false);
  return decoded.kind === 'accepted' ? decoded.value.bytes.toString() : bytes.toString('latin1');
}

const rawOf = (bytes: Buffer, keptMax: number): NonNullable<Refusal['raw']> =>
  ({ base64: bytes.subarray(0, keptMax).toString('base64'), sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });

function requestOf({ requestId, receivedMicros, source, route, codeVersion }: Received, client: ClientFacts): Refusal['request'] {
  return {
    request_id: requestId, received_timestamp: receivedMicros, stream: route.stream, source: source.id, protocol: route.protocol.name,
    code_version: codeVersion, schema_version: SCHEMA_VERSION, client,
  };
}

/** The body without the ids of those who denied storage. Where our event ids are hashes of such ids, the hash itself is put in. */
function withoutPeople(value: unknown, mapped: MappedBatch, route: Route, denied: 'all' | 'some' | 'none', hidden: ReadonlySet<unknown>): unknown {
  const seen = withoutHidden(value, hidden);
  if (denied === 'none') return seen;
  if (denied === 'some') return withoutDeniedIds(seen);
  const stripped = withoutIds(seen);
  if (route.protocol.name === 'native') return stripped;
  const { events } = stripped as { events: unknown[] };
  const named = events.map((event, index) => {
    const id = (mapped.events[index] as { event_id?: unknown } | null)?.event_id;
    return typeof event === 'object' && event !== null && typeof id === 'string' ? { ...event, event_id: id } : event;
  });
  return { ...(stripped as object), events: named };
}

/** null stands where a hidden event was, so that the others keep their places. */
function withoutHidden(body: unknown, hidden: ReadonlySet<unknown>): unknown {
  if (hidden.size === 0) return body;
  const show = (event: unknown): unknown => (hidden.has(event) ? null : event);
  if (Array.isArray(body)) return body.map(show);
  const { events, ...batch } = body as { events: unknown[] };
  return { ...batch, events: events.map(show) };
}

function plainBody(value: unknown): BodyBytes {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, isGzip: false, inflatedBytes: bytes.length };
}
