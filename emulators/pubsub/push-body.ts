// One message as Pub/Sub wraps it for a push endpoint: https://docs.cloud.google.com/pubsub/docs/push#receive_push. push.ts sends it.
import { identityToken } from '../metadata/tokens.ts';
import type { Subscription } from './catalogue.ts';
import { readMessage, type RawMessage } from './wire.ts';

export type PushedMessage = { raw: RawMessage; messageId: string; publishMs: number; subscription: string; deliveryAttempt: number };

/** Three texts that follow each other, so that the base64 of a megabyte is not copied into one more string; the middle one is ASCII. */
export type PushBody = { head: string; base64: string; tail: string; bytes: number };

export function pushBody({ raw, messageId, publishMs, subscription, deliveryAttempt }: PushedMessage): PushBody {
  const { data, attributes, orderingKey } = readMessage(raw);
  const time = protobufTime(publishMs);
  const attributesJson = attributes.size === 0 ? '' : `"attributes":${mapJson(attributes)},`;
  const orderingJson = orderingKey === '' ? '' : `,"orderingKey":${JSON.stringify(orderingKey)}`;
  const attemptJson = deliveryAttempt === 0 ? '' : `,"deliveryAttempt":${deliveryAttempt}`;
  const head = `{"message":{${attributesJson}"data":"`;
  const tail = `","messageId":"${messageId}","message_id":"${messageId}","publishTime":"${time}","publish_time":"${time}"${orderingJson}},"subscription":${JSON.stringify(subscription)}${attemptJson}}`;
  const base64 = data.toString('base64');
  return { head, base64, tail, bytes: Buffer.byteLength(head) + base64.length + Buffer.byteLength(tail) };
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
