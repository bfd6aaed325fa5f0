// GA4 Measurement Protocol bodies in, native batches out (facts: Google's reference, "Measurement Protocol (GA4)"). Pure.
// What has a column goes there; what has none is kept as a parameter, never dropped.
import { hashedId, isEventId } from '../../../event-id.ts';
import type { MappedBatch, MappingFacts, Protocol } from '../protocol.ts';
import { liftCommerce } from './commerce.ts';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

export const protocol: Protocol = {
  name: 'ga4',
  isBatch: (body) => isFields(body) && Array.isArray(body['events']),
  toBatch(body, facts): MappedBatch {
    const sent = body as Fields & { events: unknown[] };
    const shared = sharedParams(sent);
    const idOf = eventIds(sent, facts);
    const events = sent.events.map((event, index) => (isFields(event) ? mapEvent(event, sent, shared, idOf(event, index), facts) : event));
    return { batch: { ...batchFields(sent, facts), events }, events, asSent: { batch: sent, events: sent.events } };
  },
};

/** Body fields that become batch fields, or are about the request itself. The address that a client may send is never mapped. */
const MAPPED_BODY_FIELDS: ReadonlySet<string> = new Set([
  'app_instance_id', 'client_id', 'user_id', 'timestamp_micros', 'user_properties', 'consent', 'device', 'user_location', 'ip_override',
  'validation_behavior', 'events', 'write_key',
]);
const MAPPED_EVENT_FIELDS: ReadonlySet<string> = new Set(['name', 'params', 'timestamp_micros', 'event_id']);

function batchFields(sent: Fields, facts: MappingFacts): Fields {
  const fields: Fields = {};
  const set = (name: string, value: unknown): void => {
    if (value !== undefined && value !== null) fields[name] = value;
  };
  set('user_id', sent['user_id']);
  set('user_pseudo_id', sent['app_instance_id'] ?? sent['client_id']);
  if (isFields(sent['device'])) set('device', deviceOf(sent['device']));
  if (isFields(sent['user_location'])) set('geo', renamed(sent['user_location'], GEO_FIELDS));
  if (isFields(sent['user_properties'])) set('user_properties', propertiesOf(sent['user_properties']));
  if (isFields(sent['consent'])) set('privacy_info', privacyOf(sent['consent']));
  return { ...fields, ...appOf(facts.client.query ?? {}, facts.client.platform) };
}

const GEO_FIELDS = { city: 'city', region_id: 'region', country_id: 'country', subcontinent_id: 'sub_continent', continent_id: 'continent' };
const DEVICE_FIELDS = {
  category: 'category', language: 'language', operating_system: 'operating_system', operating_system_version: 'operating_system_version',
  model: 'mobile_model_name', brand: 'mobile_brand_name', browser: 'browser', browser_version: 'browser_version',
};

function deviceOf(sent: Fields): Fields {
  return renamed(sent, DEVICE_FIELDS);
}

function renamed(sent: Fields, names: Record<string, string>): Fields {
  const fields: Fields = {};
  for (const [from, to] of Object.entries(names)) if (sent[from] !== undefined && sent[from] !== null) fields[to] = sent[from];
  return fields;
}

/** `{plan: {value: "pro", timestamp_micros: …}}` -> `{plan: {value: "pro", set_timestamp_micros: …}}`; null, which clears one, is left out. */
function propertiesOf(properties: Fields): Fields {
  const mapped = Object.entries(properties).filter(([, property]) => property !== null).map(([name, property]) => {
    if (!isFields(property) || !('value' in property)) return [name, property];
    const { value, timestamp_micros: since, ...rest } = property;
    return [name, { value, ...(since === undefined || since === null ? {} : { set_timestamp_micros: since }), ...rest }];
  });
  return Object.fromEntries(mapped) as Fields;
}

/** Google's consent for sending data to ads is what the export calls ads_storage. */
function privacyOf({ ad_user_data: adUserData }: Fields): Fields | undefined {
  if (adUserData !== 'GRANTED' && adUserData !== 'DENIED') return undefined;
  return { ads_storage: adUserData === 'GRANTED' ? 'Yes' : 'No' };
}

/** Which app or site it is stands in the URL, not in the body. */
function appOf({ measurement_id: measurementId, firebase_app_id: firebaseAppId }: Record<string, string>, sourcePlatform: string | undefined): Fields {
  if (firebaseAppId !== undefined) {
    const platform = /:(ios|android|web):/.exec(firebaseAppId)?.[1]?.toUpperCase() ?? sourcePlatform;
    return { app_info: { firebase_app_id: firebaseAppId }, stream_id: firebaseAppId, ...(platform === undefined ? {} : { platform }) };
  }
  return measurementId === undefined ? {} : { stream_id: measurementId, platform: 'WEB' };
}

/** Body fields that have no column: every event of the body gets them as parameters. */
function sharedParams(sent: Fields): Fields {
  const params: Fields = {};
  for (const [name, value] of Object.entries(sent)) if (!MAPPED_BODY_FIELDS.has(name)) params[name] = value;
  const { consent, device } = sent;
  if (isFields(consent) && consent['ad_personalization'] !== undefined) params['ad_personalization'] = consent['ad_personalization'];
  if (isFields(device)) for (const [name, value] of Object.entries(device)) if (!(name in DEVICE_FIELDS)) params[name] = value;
  return params;
}

function mapEvent(event: Fields, sent: Fields, shared: Fields, eventId: string, facts: MappingFacts): Fields {
  const mapped: Fields = { event_id: eventId, event_name: event['name'], event_timestamp: timestampOf(event, sent) ?? facts.receivedTimestamp };
  const sentParams = event['params'];
  if (sentParams !== undefined && sentParams !== null && !isFields(sentParams)) return { ...mapped, event_params: sentParams };
  const params: Fields = { ...shared };
  for (const [name, value] of Object.entries(event)) if (!MAPPED_EVENT_FIELDS.has(name)) params[name] = value;
  for (const [name, value] of Object.entries(sentParams ?? {})) {
    if (name === 'session_id') params[isWhole(value) ? 'ga_session_id' : name] = wholeNumber(value);
    else if (name === 'engagement_time_msec') params[name] = wholeNumber(value);
    else if (name !== 'items') params[name] = value;
  }
  return { ...mapped, event_params: params, ...liftCommerce(event['name'], (sentParams ?? {}) as Fields) };
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) || (typeof value === 'string' && /^\d{1,15}$/.test(value));

/** The export has these as numbers, whichever way a client writes them. */
const wholeNumber = (value: unknown): unknown => (typeof value === 'string' && isWhole(value) ? Number(value) : value);

/** The event's own time, else the body's; undefined when the client gave none. A text of digits is a number as good. */
function timestampOf(event: Fields, sent: Fields): unknown {
  const value = event['timestamp_micros'] ?? sent['timestamp_micros'] ?? undefined;
  return typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
}

/**
 * The protocol has no event id, so ours is a hash of what is equal when the client sends the same again (design: section 5). Equal
 * events of one body are told apart by their ordinal. Without a time it can only be the place in this very request.
 * `event_id` is our extension: a client that makes one, or a body whose ids were taken out, has its own.
 */
function eventIds(sent: Fields, facts: MappingFacts): (event: Fields, index: number) => string {
  const client = String(sent['app_instance_id'] ?? sent['client_id'] ?? sent['user_id'] ?? '');
  const ordinals = new Map<string, number>();
  return (event, index) => {
    if (isEventId(event['event_id'])) return event['event_id'];
    const timestamp = timestampOf(event, sent);
    if (timestamp === undefined) return hashedId('ga4', facts.requestId, index);
    const what = JSON.stringify([timestamp, event['name'], event['params']]);
    const ordinal = ordinals.get(what) ?? 0;
    ordinals.set(what, ordinal + 1);
    return hashedId('ga4', facts.source, client, what, ordinal);
  };
}
