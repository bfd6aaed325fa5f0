// A native event in, the row of its table out: the columns that clients send, and the ones that are known only here.
// Called by rows-of-envelope.ts for every event. Pure; throws for what cannot become a row, which rejects that event alone.
import type { ClientFacts } from '../../envelope.ts';
import type { EventsRow, InferenceRow } from '../../../schemas/generated/types.ts';

type Fields = Readonly<Record<string, unknown>>;
type KeyValue = NonNullable<EventsRow['event_params']>[number];

/** What all rows of one request share. */
export type RequestFacts = {
  requestId: string;
  /** Microseconds since 1970, the collector's clock. */
  receivedTimestamp: number;
  source: string;
  protocol: string;
  /** The message that brought it; for a replayed one the original's, so that the row is the same row. */
  messageId: string;
  client: ClientFacts;
};

/** The part of a row that the events of one request have in common: the batch fields, made ready once. */
export function rowContext(batch: Fields, facts: RequestFacts): Fields {
  const { events: _events, write_key: _key, sent_timestamp: sent, ...fields } = batch;
  return {
    platform: facts.client.platform,
    geo: facts.client.geo,
    ...fields,
    event_server_timestamp_offset: offsetOf(sent, facts.receivedTimestamp),
  };
}

/** How far the collector's clock was ahead of the client's; the client may send 64-bit integers as text. */
function offsetOf(sent: unknown, receivedTimestamp: number): number | undefined {
  const micros = typeof sent === 'string' && sent !== '' ? Number(sent) : sent;
  const offset = typeof micros === 'number' ? Math.round(receivedTimestamp - micros) : undefined;
  return offset !== undefined && Number.isSafeInteger(offset) ? offset : undefined;
}

type Conversions = Readonly<Record<string, (value: unknown) => unknown>>;

/** Columns whose value in a table has another form than in an event, by stream (the marks `x-bigquery` of its schema). */
const CONVERSIONS: Readonly<Record<string, Conversions>> = {
  events: { event_params: keyValues, user_properties: properties, items: itemsOf },
  inference: { features: featuresOf, input_json: jsonText, output_json: jsonText },
};

/** What `consent.log_inputs` = "No" takes out of an inference: what the model was given and what it answered. */
const PAYLOAD = ['features', 'feature_vector', 'input_json', 'output_json', 'input_ref', 'output_ref', 'prediction'] as const;

/**
 * Makes the row. An event's own field replaces the batch's. `event_date` is given, since it also chooses the table.
 * Columns that only the rollover can fill stay NULL whatever a client sent.
 */
export function toRow(stream: string, context: Fields, event: Fields, eventDate: string, facts: RequestFacts, isLate: boolean): EventsRow & InferenceRow {
  const row: Record<string, unknown> = {
    ...context,
    ...event,
    event_date: eventDate,
    user_ltv: undefined,
    traffic_source: undefined,
    is_active_user: undefined,
    event_previous_timestamp: undefined,
    user_first_touch_timestamp: undefined,
    event_server_timestamp_offset: context['event_server_timestamp_offset'],
    received_timestamp: facts.receivedTimestamp,
    ingest: { source: facts.source, protocol: facts.protocol, message_id: facts.messageId, request_id: facts.requestId, is_late: isLate },
  };
  const conversions = CONVERSIONS[stream] ?? {};
  for (const column in conversions) {
    const value = row[column];
    if (value !== undefined && value !== null) row[column] = conversions[column]!(value);
  }
  if (stream === 'events') row['event_value_in_usd'] ??= valueInUsd(event['event_params']);
  else row['event_name'] ??= stream;
  if (!mayStoreIds(row['privacy_info'], facts.client)) dropIds(row);
  if (row['consent'] !== undefined && (row['consent'] as Fields | null)?.['log_inputs'] === 'No') for (const column of PAYLOAD) row[column] = undefined;
  return row as EventsRow & InferenceRow;
}

/** GA4's typed key/value pairs. What is null was not sent. */
export function keyValues(map: unknown): KeyValue[] {
  const pairs: KeyValue[] = [];
  const sent = recordOf(map, 'parameters');
  for (const key in sent) {
    const value = sent[key];
    if (value !== null && value !== undefined) pairs.push({ key, value: typedValue(value) });
  }
  return pairs;
}

function typedValue(value: unknown): NonNullable<KeyValue['value']> {
  switch (typeof value) {
    case 'string': return { string_value: value };
    case 'number': return Number.isSafeInteger(value) ? { int_value: value } : { double_value: value };
    case 'boolean': return { string_value: value ? 'true' : 'false' };
    default: return { string_value: JSON.stringify(value) };
  }
}

/** A property is a value, or a value with the time since when it holds. */
function properties(map: unknown): unknown[] {
  const pairs: unknown[] = [];
  const sent = recordOf(map, 'user_properties');
  for (const key in sent) {
    const property = sent[key];
    if (property === null || property === undefined) continue;
    if (typeof property === 'object' && 'value' in property) {
      const { value, set_timestamp_micros: since } = property as Fields;
      if (value !== null && value !== undefined) pairs.push({ key, value: { ...typedValue(value), set_timestamp_micros: since } });
    } else {
      pairs.push({ key, value: typedValue(property) });
    }
  }
  return pairs;
}

function itemsOf(items: unknown): unknown[] {
  return listOf(items, 'items').map((item) => {
    const fields = recordOf(item, 'an item');
    const { item_params: params } = fields;
    return params === undefined || params === null ? fields : { ...fields, item_params: keyValues(params) };
  });
}

function featuresOf(features: unknown): unknown[] {
  return listOf(features, 'features').map((feature) => {
    const fields = recordOf(feature, 'a feature');
    const { value } = fields;
    return { ...fields, value: value === undefined || value === null ? undefined : typedValue(value) };
  });
}

/** A text is JSON text already. */
function jsonText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function recordOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${name} must be an object`);
  return value as Fields;
}

function listOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be an array`);
  return value;
}

/** GA4's column for the `value` parameter of events in US dollars; other currencies would need a rate of that day. */
function valueInUsd(params: unknown): number | undefined {
  if (typeof params !== 'object' || params === null) return undefined;
  const { value, currency } = params as Fields;
  return typeof value === 'number' && currency === 'USD' ? value : undefined;
}

/** Without consent for analytics storage nothing that names the person or the device is stored. */
const mayStoreIds = (privacy: unknown, client: ClientFacts): boolean =>
  client.analytics_storage !== 'No' && (typeof privacy !== 'object' || privacy === null || (privacy as Fields)['analytics_storage'] !== 'No');

function dropIds(row: Record<string, unknown>): void {
  row['user_id'] = undefined;
  row['user_pseudo_id'] = undefined;
  if (typeof row['device'] === 'object' && row['device'] !== null) row['device'] = { ...row['device'], vendor_id: undefined, advertising_id: undefined };
  row['privacy_info'] = { ...(row['privacy_info'] as object | undefined), analytics_storage: 'No' };
}
