// A native event in, the row of its table out: the columns that clients send, and the ones that are known only here.
// Called by rows-of-envelope.ts for every event. Pure; throws for what cannot become a row, which rejects that event alone.
import type { ClientFacts } from '../../envelope.ts';
import type { EventsRow } from '../../../schemas/generated/types.ts';

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
    event_server_timestamp_offset: typeof sent === 'number' ? facts.receivedTimestamp - sent : undefined,
  };
}

/**
 * Makes the row. An event's own field replaces the batch's. `event_date` is given, since it also chooses the table.
 * Columns that only the rollover can fill stay NULL whatever a client sent.
 */
export function toRow(context: Fields, event: Fields, eventDate: string, facts: RequestFacts, isLate: boolean): EventsRow {
  const row: Record<string, unknown> = {
    ...context,
    ...event,
    event_date: eventDate,
    user_ltv: undefined,
    traffic_source: undefined,
    is_active_user: undefined,
    event_previous_timestamp: undefined,
    user_first_touch_timestamp: undefined,
    received_timestamp: facts.receivedTimestamp,
    ingest: { source: facts.source, protocol: facts.protocol, message_id: facts.messageId, request_id: facts.requestId, is_late: isLate },
  };
  if (row['event_params'] !== undefined) row['event_params'] = keyValues(row['event_params']);
  if (row['user_properties'] !== undefined) row['user_properties'] = keyValues(row['user_properties']);
  if (Array.isArray(row['items'])) row['items'] = row['items'].map(itemOf);
  row['event_value_in_usd'] ??= valueInUsd(event['event_params']);
  if (!mayStoreIds(row['privacy_info'], facts.client)) dropIds(row);
  return row as EventsRow;
}

/** GA4's typed key/value pairs. What is null was not sent. */
export function keyValues(map: unknown): KeyValue[] {
  const pairs: KeyValue[] = [];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw new TypeError('parameters are not an object');
  for (const key in map) {
    const value = (map as Fields)[key];
    if (value !== null && value !== undefined) pairs.push({ key, value: typedValue(value) });
  }
  return pairs;
}

function typedValue(value: unknown): KeyValue['value'] {
  switch (typeof value) {
    case 'string': return { string_value: value };
    case 'number': return Number.isSafeInteger(value) ? { int_value: value } : { double_value: value };
    case 'boolean': return { string_value: value ? 'true' : 'false' };
    default: return { string_value: JSON.stringify(value) };
  }
}

function itemOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) throw new TypeError('an item is not an object');
  const { item_params: params } = item as Fields;
  return params === undefined ? item : { ...item, item_params: keyValues(params) };
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
