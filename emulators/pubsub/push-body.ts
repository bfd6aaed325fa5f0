// One message as a push endpoint gets it: in Google's JSON (https://docs.cloud.google.com/pubsub/docs/push#receive_push), or unwrapped
// (https://docs.cloud.google.com/pubsub/docs/payload-unwrapping). push.ts sends it.
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { identityToken } from '../metadata/tokens.ts';
import type { Subscription } from './catalogue.ts';
import { readMessage, type RawMessage } from './wire.ts';

export type PushedMessage = { raw: RawMessage; messageId: string; publishMs: number; subscription: string; deliveryAttempt: number };

/** Parts that follow each other, so that the base64 of a megabyte is not copied into one more string. */
export type PushRequest = { headers: Record<string, string>; body: (string | Buffer)[]; bytes: number };

export function pushRequest(message: PushedMessage, noWrapper?: { write_metadata?: boolean }): PushRequest {
  return noWrapper ? unwrapped(message, noWrapper.write_metadata === true) : wrapped(message);
}

/** The data alone; the rest as headers, if asked for. An attribute that can't be a header is left out. */
function unwrapped({ raw, messageId, publishMs, subscription }: PushedMessage, hasMetadata: boolean): PushRequest {
  const { data, attributes, orderingKey } = readMessage(raw);
  if (!hasMetadata) return { headers: {}, body: [data], bytes: data.length };
  const headers: Record<string, string> = {};
  for (const [key, value] of attributes) if (canBeHeader(key, value)) headers[key.toLowerCase()] = value;
  headers['x-goog-pubsub-subscription-name'] = subscription;
  headers['x-goog-pubsub-message-id'] = messageId;
  headers['x-goog-pubsub-publish-time'] = protobufTime(publishMs);
  if (orderingKey !== '' && canBeHeader('x-goog-pubsub-ordering-key', orderingKey)) headers['x-goog-pubsub-ordering-key'] = orderingKey;
  return { headers, body: [data], bytes: data.length };
}

/** Nor may an attribute change how the request is sent. */
const RESERVED = new Set(['connection', 'content-length', 'host', 'transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'keep-alive', 'authorization']);

function canBeHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return !RESERVED.has(name.toLowerCase());
  } catch {
    return false;
  }
}

function wrapped({ raw, messageId, publishMs, subscription, deliveryAttempt }: PushedMessage): PushRequest {
  const { data, attributes, orderingKey } = readMessage(raw);
  const time = protobufTime(publishMs);
  const attributesJson = attributes.size === 0 ? '' : `"attributes":${mapJson(attributes)},`;
  const orderingJson = orderingKey === '' ? '' : `,"orderingKey":${JSON.stringify(orderingKey)}`;
  const attemptJson = deliveryAttempt === 0 ? '' : `,"deliveryAttempt":${deliveryAttempt}`;
  const head = `{"message":{${attributesJson}"data":"`;
  const tail = `","messageId":"${messageId}","message_id":"${messageId}","publishTime":"${time}","publish_time":"${time}"${orderingJson}},"subscription":${JSON.stringify(subscription)}${attemptJson}}`;
  const base64 = data.toString('base64');
  return { headers: { 'content-type': 'application/json' }, body: [head, base64, tail], bytes: Buffer.byteLength(head) + base64.length + Buffer.byteLength(tail) };
}

/** Written out pair by pair: as an object, keys such as "7" would change their order and "__proto__" would be lost. */
function mapJson(map: ReadonlyMap<string, string>): string {
  return `{${[...map].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** Protobuf's JSON form of a Timestamp: no fraction, or three digits. */
export function protobufTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** Something that looks like the OIDC token that Google signs for a push; the signature says what it is. */
export function pushToken({ resource }: Subscription, nowMs: number): string | undefined {
  const { push_endpoint: endpoint, oidc_token: oidc } = resource.push_config ?? {};
  if (!oidc?.service_account_email) return undefined;
  // The same token for a whole hour, as Google's senders cache theirs.
  const hourMs = Math.floor(nowMs / 3_600_000) * 3_600_000;
  return identityToken({ audience: oidc.audience || endpoint!, email: oidc.service_account_email, nowMs: hourMs });
}
