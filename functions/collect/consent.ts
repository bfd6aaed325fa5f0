// What is done for people who did not consent to analytics storage: their ids are taken out of the body before anything is
// stored, so neither the archive nor a row ever holds them (docs/decisions/2026-11-23-consent-and-the-archive.md). Only such bodies are serialised anew.
// Pure. Called by the collector, before publishing.

type Record_ = Record<string, unknown>;

const isRecord = (value: unknown): value is Record_ => typeof value === 'object' && value !== null && !Array.isArray(value);

const ID_FIELDS: readonly string[] = ['user_id', 'user_pseudo_id', 'client_id', 'app_instance_id', 'user_data', 'ip_override'];
const DEVICE_ID_FIELDS: readonly string[] = ['vendor_id', 'advertising_id'];

const deniesStorage = (value: unknown): boolean => isRecord(value) && isRecord(value['privacy_info']) && value['privacy_info']['analytics_storage'] === 'No';

/** Whose ids must not be stored: everybody's in the body, or those of single events. */
export function deniedIn(batch: Record_, events: readonly unknown[], sourceStoresIds: boolean): 'all' | 'some' | 'none' {
  if (!sourceStoresIds || deniesStorage(batch)) return 'all';
  for (const event of events) if (deniesStorage(event)) return 'some';
  return 'none';
}

/** Whether a text that was not, or could not be, parsed seems to deny storage. Rather one too many: its hash is stored all the same. */
export const seemsToDenyStorage = (text: string): boolean => /"analytics_storage"\s*:\s*"No"/.test(text);

/** A copy of the body without the ids of all its events. */
export function withoutIds(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(dropIds);
  if (!isRecord(body)) return body;
  const copy = dropIds(body) as Record_;
  return Array.isArray(body['events']) ? { ...copy, events: body['events'].map(dropIds) } : copy;
}

/**
 * A copy of a native body in which only events that deny storage lose their ids: ids of the batch are moved into the events
 * that keep them.
 */
export function withoutDeniedIds(body: unknown): unknown {
  if (Array.isArray(body)) return body.map((event) => (deniesStorage(event) ? dropIds(event) : event));
  const batch = body as Record_;
  const events = batch['events'] as unknown[];
  const ids = Object.fromEntries(ID_FIELDS.filter((field) => Object.hasOwn(batch, field)).map((field) => [field, batch[field]]));
  const device = isRecord(batch['device']) ? { device: batch['device'] } : {};
  const kept = events.map((event) => (!isRecord(event) ? event : deniesStorage(event) ? dropIds(event) : { ...device, ...ids, ...event }));
  return { ...(dropIds(batch) as Record_), events: kept };
}

function dropIds(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).filter(([field]) => !ID_FIELDS.includes(field)));
  const device = copy['device'];
  if (isRecord(device)) copy['device'] = Object.fromEntries(Object.entries(device).filter(([field]) => !DEVICE_ID_FIELDS.includes(field)));
  return copy;
}
