// The registry of everything that can go wrong: the only place where a code, its fault and its status are written.
// docs/errors.md is tested to be equal to it. Add a code here first; `ingestError` makes the sentence.

/** Whose fault it is decides what happens: see docs/errors.md. */
export type Fault = 'sender' | 'upstream' | 'operator' | 'bug';

export type ErrorSpec = {
  fault: Fault;
  /** HTTP status when it concerns a whole request; 200 when it is the verdict on one event of a readable body. */
  status: number;
  /** The sentence a person reads. `{name}` is replaced by a value. */
  says: string;
};

export const ERRORS = {
  // A whole request, before its body is understood.
  no_route: { fault: 'sender', status: 404, says: 'There is nothing at {path}; POST to /v1/events, /v1/inference or /mp/collect.' },
  method_not_allowed: { fault: 'sender', status: 405, says: '{method} is not allowed here; use {allow}.' },
  url_too_long: { fault: 'sender', status: 414, says: 'The URL is longer than {urlBytesMax} bytes.' },
  no_key: { fault: 'sender', status: 401, says: 'No write key: send it as "Authorization: Bearer KEY", "X-Write-Key: KEY", "?key=KEY" or "write_key" in the body.' },
  unknown_key: { fault: 'sender', status: 401, says: 'No source has this write key.' },
  source_disabled: { fault: 'sender', status: 403, says: 'Source {source} is switched off.' },
  stream_not_allowed: { fault: 'sender', status: 403, says: 'Source {source} may not send to stream {stream}.' },
  origin_not_allowed: { fault: 'sender', status: 403, says: 'Source {source} does not allow web origin {origin}.' },
  rate_exceeded: { fault: 'sender', status: 429, says: 'Source {source} sent more than {eventsPerSecondMax} events a second.' },
  body_timeout: { fault: 'sender', status: 408, says: 'The body did not arrive within {bodyTimeoutMs} ms.' },
  body_too_large: { fault: 'sender', status: 413, says: 'The request body is larger than {bodyBytesMax} bytes.' },
  decompressed_too_large: { fault: 'sender', status: 413, says: 'The request body inflates to more than {inflatedBytesMax} bytes.' },
  batch_too_large: { fault: 'sender', status: 413, says: 'The batch has {events} events; at most {eventsPerRequestMax} are allowed.' },
  too_many_batch_keys: { fault: 'sender', status: 413, says: 'The body has {keys} keys outside its events; at most {keysMax} are allowed.' },
  merged_too_large: { fault: 'sender', status: 413, says: 'The events have {bytes} bytes once the batch fields are merged into each; at most {messageMergedBytesMax} are allowed in one request.' },
  unsupported_encoding: { fault: 'sender', status: 415, says: 'Content-Encoding {encoding} is not supported; use gzip or none.' },
  unsupported_media_type: { fault: 'sender', status: 415, says: 'Content-Type {type} is not supported; send application/json.' },
  empty_body: { fault: 'sender', status: 400, says: 'The request has no body.' },
  bad_encoding: { fault: 'sender', status: 400, says: 'The body is not the gzip it claims to be: {reason}.' },
  invalid_utf8: { fault: 'sender', status: 400, says: 'The body is not valid UTF-8.' },
  invalid_json: { fault: 'sender', status: 400, says: 'The body is not JSON: {reason}.' },
  too_deep: { fault: 'sender', status: 400, says: 'The body nests deeper than {depthMax} levels.' },
  not_a_batch: { fault: 'sender', status: 400, says: 'The body is not a batch: expected an object with an "events" array.' },

  // One event of a readable body (the request itself is answered 200).
  too_many_keys: { fault: 'sender', status: 200, says: 'The event has more than {keysMax} keys.' },
  event_too_large: { fault: 'sender', status: 200, says: 'The event has {bytes} bytes with its batch fields; at most {eventBytesMax} are allowed.' },
  batch_fields_too_large: { fault: 'sender', status: 200, says: 'The batch fields have {bytes} bytes; at most {batchFieldBytesMax} are allowed.' },
  schema_violation: { fault: 'sender', status: 200, says: '{problem}' },
  bad_event_id: { fault: 'sender', status: 200, says: 'event_id must be a UUID that the client made, and not the nil UUID.' },
  bad_name: { fault: 'sender', status: 200, says: 'event_name must match ^[A-Za-z][A-Za-z0-9_]{0,39}$.' },
  bad_key: { fault: 'sender', status: 200, says: 'A key must have 1 to {keyLengthMax} characters; names of parameters and properties begin with a letter or an underscore and hold only letters, digits and underscores.' },
  forbidden_key: { fault: 'sender', status: 200, says: 'The key {key} is not allowed.' },
  forbidden_char: { fault: 'sender', status: 200, says: 'A string or key contains U+0000.' },
  unsafe_integer: { fault: 'sender', status: 200, says: 'The number {number} cannot be kept exactly; send integers beyond ±(2^53-1) as strings.' },
  non_finite_number: { fault: 'sender', status: 200, says: 'A number is too large to be kept.' },
  out_of_range: { fault: 'sender', status: 200, says: 'The value {value} does not fit a 64-bit integer.' },
  bad_timestamp: { fault: 'sender', status: 200, says: 'A timestamp must be an integer of microseconds since 1970 (UTC).' },
  ts_out_of_range: { fault: 'sender', status: 200, says: 'The timestamp {timestamp} is not a plausible time in microseconds.' },
  too_late: { fault: 'sender', status: 200, says: 'The event is older than {lateDaysMax} days.' },
  timestamp_in_future: { fault: 'sender', status: 200, says: 'The event is more than {futureHoursMax} hours ahead of its receipt.' },
  unknown_schema: { fault: 'sender', status: 200, says: 'Schema version {version} of stream {stream} is not known here.' },

  // Later on the way.
  mapping_failed: { fault: 'bug', status: 200, says: 'The event was accepted but could not be made into a row: {reason}.' },
  row_refused: { fault: 'bug', status: 200, says: 'BigQuery refused the row: {reason}.' },
  message_undecodable: { fault: 'bug', status: 200, says: 'The message could not be read: {reason}.' },

  // Google's trouble.
  publish_unavailable: { fault: 'upstream', status: 503, says: 'Pub/Sub did not accept the message: {reason}.' },
  bigquery_unavailable: { fault: 'upstream', status: 503, says: 'BigQuery did not accept the rows: {reason}.' },
  storage_unavailable: { fault: 'upstream', status: 503, says: 'Cloud Storage did not accept the object: {reason}.' },
  table_missing: { fault: 'upstream', status: 503, says: 'Table {table} did not exist; it was asked for, and the message will come again.' },
  replay_stopped: { fault: 'upstream', status: 503, says: 'The replay stopped ({reason}); run it again from the start, nothing is counted twice.' },
  overloaded: { fault: 'upstream', status: 503, says: 'This instance is busy ({reason}); send again later.' },
  shutting_down: { fault: 'upstream', status: 503, says: 'This instance is stopping; send again.' },

  // The operator's.
  setting_invalid: { fault: 'operator', status: 503, says: 'Setting {name} is {value}; expected {expected}.' },
  sources_unreadable: { fault: 'operator', status: 503, says: 'The sources document cannot be read: {reason}.' },
  envelope_version_unknown: { fault: 'operator', status: 503, says: 'Envelope version {version} is not known to this code; it waits for newer code.' },
  code_too_old: { fault: 'operator', status: 503, says: 'This code does not know {what}; the message waits for newer code.' },
  time_zone_changed: { fault: 'operator', status: 503, says: 'The dataset was started with time zone {stored}, the setting says {setting}.' },

  // Ours.
  invariant_broken: { fault: 'bug', status: 503, says: 'Impossible state: {what}.' },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing that is wrong: code, sentence, and (for a field) where, as an RFC 6901 JSON pointer into the event. */
export type IngestError = { code: ErrorCode; message: string; pointer?: string };

/** Makes an error of the registry: fills `{name}` in its sentence from `values`. */
export function ingestError(code: ErrorCode, values: Record<string, string | number> = {}, pointer?: string): IngestError {
  const message = ERRORS[code].says.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  return pointer === undefined ? { code, message } : { code, message, pointer };
}
