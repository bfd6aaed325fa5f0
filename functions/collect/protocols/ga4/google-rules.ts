// Google's own rules for Measurement Protocol bodies, for /debug/mp/collect only: a body in, Google's validation messages out. Our
// limits are wider, so /mp/collect stores most of what is complained about here (Google's limits: its reference, section "Limitations").

export type ValidationMessage = { fieldPath: string; description: string; validationCode: ValidationCode };
export type ValidationCode = 'VALUE_INVALID' | 'VALUE_REQUIRED' | 'NAME_INVALID' | 'NAME_RESERVED' | 'VALUE_OUT_OF_BOUNDS' | 'EXCEEDED_MAX_ENTITIES' | 'NAME_DUPLICATED';

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const EVENTS_MAX = 25;
const PARAMS_MAX = 25;
const USER_PROPERTIES_MAX = 25;
const NAME_LENGTH_MAX = 40;
const VALUE_LENGTH_MAX = 100;
const PROPERTY_NAME_LENGTH_MAX = 24;
const PROPERTY_VALUE_LENGTH_MAX = 36;
const USER_ID_LENGTH_MAX = 256;
const BACKDATING_MICROS_MAX = 72 * 3_600_000_000;
/** Parameters whose values may be longer. */
const LONG_VALUES: Record<string, number> = { page_title: 300, page_referrer: 420, page_location: 1_000 };

const RESERVED_EVENTS: ReadonlySet<string> = new Set(`ad_activeview ad_click ad_exposure ad_impression ad_query ad_reward adunit_exposure app_background
  app_clear_data app_exception app_install app_remove app_store_refund app_store_subscription_cancel app_store_subscription_convert
  app_store_subscription_renew app_update app_upgrade dynamic_link_app_open dynamic_link_app_update dynamic_link_first_open error
  first_open first_visit in_app_purchase notification_dismiss notification_foreground notification_open notification_receive os_update
  session_start user_engagement`.split(/\s+/));
const RESERVED_PREFIXES: readonly string[] = ['_', 'firebase_', 'ga_', 'google_', 'gtag.'];
/** The app sample of Google's reference sends these itself. */
const ALLOWED_PARAMS: ReadonlySet<string> = new Set(['firebase_screen', 'firebase_screen_class', 'firebase_conversion', 'ga_session_id', 'ga_session_number']);

/** `query`: measurement_id or firebase_app_id of the URL. */
export function googleMessages(body: Fields & { events: readonly unknown[] }, query: Record<string, string>, receivedMicros: number): ValidationMessage[] {
  const messages: ValidationMessage[] = [];
  const say = (fieldPath: string, validationCode: ValidationCode, description: string): void => void messages.push({ fieldPath, description, validationCode });
  if (query['measurement_id'] === undefined && query['firebase_app_id'] === undefined) say('', 'VALUE_REQUIRED', 'The URL must have measurement_id or firebase_app_id.');
  const idField = query['firebase_app_id'] === undefined ? 'client_id' : 'app_instance_id';
  if (typeof body[idField] !== 'string' || body[idField] === '') say(idField, 'VALUE_REQUIRED', `${idField} is required.`);
  if (typeof body['user_id'] === 'string' && body['user_id'].length > USER_ID_LENGTH_MAX) say('user_id', 'VALUE_OUT_OF_BOUNDS', `user_id may have at most ${USER_ID_LENGTH_MAX} characters.`);
  if (body.events.length > EVENTS_MAX) say('events', 'EXCEEDED_MAX_ENTITIES', `A request may have at most ${EVENTS_MAX} events; this one has ${body.events.length}.`);
  judgeTime(body['timestamp_micros'], 'timestamp_micros', receivedMicros, say);
  judgeProperties(body['user_properties'], say);
  for (const [index, event] of body.events.entries()) if (isFields(event)) judgeEvent(event, index, receivedMicros, say);
  return messages;
}

type Say = (fieldPath: string, code: ValidationCode, description: string) => void;

function judgeEvent(event: Fields, index: number, receivedMicros: number, say: Say): void {
  const name = event['name'];
  const at = `Event at index: [${index}]`;
  if (name === undefined || name === '') say('events', 'VALUE_REQUIRED', `${at} has no name.`);
  else if (typeof name !== 'string') say('events', 'NAME_INVALID', `${at} has a name that is no string.`);
  else {
    judgeName(name, 'events', at, NAME_LENGTH_MAX, say);
    if (RESERVED_EVENTS.has(name)) say('events', 'NAME_RESERVED', `${at} has name [${name}] which is reserved.`);
  }
  judgeTime(event['timestamp_micros'], `events[${index}].timestamp_micros`, receivedMicros, say);
  const { params } = event;
  if (params === undefined || params === null) return;
  if (!isFields(params)) return say(`events[${index}].params`, 'VALUE_INVALID', `${at} has params that are no object.`);
  const names = Object.keys(params);
  if (names.length > PARAMS_MAX) say(`events[${index}].params`, 'EXCEEDED_MAX_ENTITIES', `${at} has ${names.length} parameters; at most ${PARAMS_MAX} are allowed.`);
  for (const [param, value] of Object.entries(params)) {
    const path = `events[${index}].params.${param}`;
    if (!ALLOWED_PARAMS.has(param)) judgeName(param, path, `${at} parameter`, NAME_LENGTH_MAX, say);
    const lengthMax = LONG_VALUES[param] ?? VALUE_LENGTH_MAX;
    if (typeof value === 'string' && value.length > lengthMax) say(path, 'VALUE_OUT_OF_BOUNDS', `${at} parameter [${param}] has ${value.length} characters; at most ${lengthMax} are allowed.`);
    if (param === 'currency' && (typeof value !== 'string' || !/^[A-Z]{3}$/.test(value))) say(path, 'VALUE_INVALID', `${at} parameter [currency] must be three capital letters (ISO 4217).`);
    if (param === 'items' && !Array.isArray(value)) say(path, 'VALUE_INVALID', `${at} parameter [items] must be an array.`);
  }
}

function judgeName(name: string, path: string, at: string, lengthMax: number, say: Say): void {
  if (!/^[A-Za-z]/.test(name)) say(path, 'NAME_INVALID', `${at} has invalid name [${name}]. Names must start with an alphabetic character.`);
  else if (!/^\w+$/.test(name)) say(path, 'NAME_INVALID', `${at} has invalid name [${name}]. Only alphanumeric characters and underscores are allowed.`);
  else if (RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))) say(path, 'NAME_RESERVED', `${at} has name [${name}] which has a reserved prefix.`);
  if (name.length > lengthMax) say(path, 'NAME_INVALID', `${at} has a name of ${name.length} characters; at most ${lengthMax} are allowed.`);
}

function judgeProperties(properties: unknown, say: Say): void {
  if (!isFields(properties)) return;
  const entries = Object.entries(properties);
  if (entries.length > USER_PROPERTIES_MAX) say('user_properties', 'EXCEEDED_MAX_ENTITIES', `A request may have at most ${USER_PROPERTIES_MAX} user properties; this one has ${entries.length}.`);
  for (const [name, property] of entries) {
    const path = `user_properties.${name}`;
    judgeName(name, path, 'User property', PROPERTY_NAME_LENGTH_MAX, say);
    const value = isFields(property) ? property['value'] : undefined;
    if (typeof value === 'string' && value.length > PROPERTY_VALUE_LENGTH_MAX) say(path, 'VALUE_OUT_OF_BOUNDS', `User property [${name}] has ${value.length} characters; at most ${PROPERTY_VALUE_LENGTH_MAX} are allowed.`);
  }
}

function judgeTime(timestamp: unknown, path: string, receivedMicros: number, say: Say): void {
  if (timestamp === undefined || timestamp === null) return;
  const micros = Number(timestamp);
  if (!Number.isInteger(micros)) say(path, 'VALUE_INVALID', 'timestamp_micros must be a whole number of microseconds since 1970.');
  else if (micros < receivedMicros - BACKDATING_MICROS_MAX) say(path, 'VALUE_OUT_OF_BOUNDS', 'timestamp_micros may be at most 72 hours old.');
}
