// Protobuf by hand where speed counts: a published message stays the bytes that came, from the request through the journal to the
// subscriber, and only its outer fields are looked at. Publish requests and received messages pass here; the rest uses proto-loader.
import { invalid, type ErrorInfo } from './refusal.ts';

/** One PubsubMessage, encoded as the publisher sent it. */
export type RawMessage = Buffer;

export type MessageParts = {
  data: Buffer;
  attributes: Map<string, string>;
  orderingKey: string;
};

/** Field numbers of google.pubsub.v1.PubsubMessage. */
const MESSAGE = { data: 1, attributes: 2, messageId: 3, publishTime: 4, orderingKey: 5 } as const;
const LENGTH_DELIMITED = 2;
const NOTHING = Buffer.alloc(0);

type Field = { number: number; wire: number; start: number; end: number };

/** Walks the fields of an encoded message without copying. Malformed input is INVALID_ARGUMENT, as a failed parse is at Google. */
export function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw invalid('The request is not a valid protocol buffer.');
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    let start = at;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === LENGTH_DELIMITED) {
      const length = varint();
      start = at;
      at += length;
    } else throw invalid('The request is not a valid protocol buffer.');
    if (at > bytes.length) throw invalid('The request is not a valid protocol buffer.');
    yield { number: Math.floor(tag / 8), wire, start, end: at };
  }
}

export type PublishRequest = { topic: string; messages: RawMessage[] };

/** PublishRequest: topic = 1, messages = 2. */
export function decodePublishRequest(bytes: Buffer): PublishRequest {
  const request: PublishRequest = { topic: '', messages: [] };
  for (const { number, wire, start, end } of fieldsOf(bytes)) {
    if (wire !== LENGTH_DELIMITED) continue;
    if (number === 1) request.topic = bytes.toString('utf8', start, end);
    else if (number === 2) request.messages.push(bytes.subarray(start, end));
  }
  return request;
}

export function readMessage(raw: RawMessage): MessageParts {
  const parts: MessageParts = { data: NOTHING, attributes: new Map(), orderingKey: '' };
  for (const { number, wire, start, end } of fieldsOf(raw)) {
    if (wire !== LENGTH_DELIMITED) continue;
    if (number === MESSAGE.data) parts.data = raw.subarray(start, end);
    else if (number === MESSAGE.orderingKey) parts.orderingKey = raw.toString('utf8', start, end);
    else if (number === MESSAGE.attributes) {
      const [key, value] = readMapEntry(raw.subarray(start, end));
      parts.attributes.set(key, value);
    }
  }
  return parts;
}

function readMapEntry(entry: Buffer): [string, string] {
  let key = '';
  let value = '';
  for (const { number, start, end } of fieldsOf(entry)) {
    if (number === 1) key = entry.toString('utf8', start, end);
    else if (number === 2) value = entry.toString('utf8', start, end);
  }
  return [key, value];
}

export function encodeMessage({ data, attributes, orderingKey }: MessageParts): RawMessage {
  const parts: Buffer[] = data.length === 0 ? [] : [lengthDelimited(MESSAGE.data, data.length), data];
  for (const [key, value] of attributes) {
    const entry = Buffer.concat([...textField(1, key), ...textField(2, value)]);
    parts.push(lengthDelimited(MESSAGE.attributes, entry.length), entry);
  }
  if (orderingKey !== '') parts.push(...textField(MESSAGE.orderingKey, orderingKey));
  return Buffer.concat(parts);
}

export type ReceivedMessage = { ackId: string; raw: RawMessage; messageId: string; publishMs: number; deliveryAttempt: number };

/** PullResponse, and StreamingPullResponse: received_messages = 1 in both. The server's id and time follow the publisher's bytes; in protobuf the last value of a field counts. */
export function encodeReceivedMessages(received: readonly ReceivedMessage[]): Buffer {
  const parts: Buffer[] = [];
  for (const { ackId, raw, messageId, publishMs, deliveryAttempt } of received) {
    const own = Buffer.concat([...textField(MESSAGE.messageId, messageId), ...timestampField(MESSAGE.publishTime, publishMs)]);
    const message = raw.length + own.length;
    const head = Buffer.concat([...textField(1, ackId), lengthDelimited(2, message)]);
    const tail = deliveryAttempt === 0 ? NOTHING : Buffer.concat([varintOf(3 << 3), varintOf(deliveryAttempt)]);
    parts.push(lengthDelimited(1, head.length + message + tail.length), head, raw, own, tail);
  }
  return Buffer.concat(parts);
}

/** StreamingPullResponse with subscription_properties = 4 {exactly_once_delivery_enabled = 1, message_ordering_enabled = 2}: the stream's first word. */
export function streamGreeting(isExactlyOnce: boolean, isOrdered: boolean): Buffer {
  const properties = Buffer.of(...(isExactlyOnce ? [1 << 3, 1] : []), ...(isOrdered ? [2 << 3, 1] : []));
  return Buffer.concat([lengthDelimited(4, properties.length), properties]);
}

/** StreamingPullResponse with acknowledge_confirmation = 5 or modify_ack_deadline_confirmation = 3, both {ack_ids = 1, invalid_ack_ids = 2}. */
export function streamConfirmation(of: 'ack' | 'deadline', valid: readonly string[], wrong: readonly string[]): Buffer {
  const body = Buffer.concat([...valid.flatMap((ackId) => textField(1, ackId)), ...wrong.flatMap((ackId) => textField(2, ackId))]);
  return Buffer.concat([lengthDelimited(of === 'ack' ? 5 : 3, body.length), body]);
}

/** google.rpc.Status {code = 1, message = 2, details = 3} with one ErrorInfo {reason = 1, domain = 2, metadata = 3}: what Google's clients read from grpc-status-details-bin. */
export function statusWithErrorInfo(code: number, message: string, { reason, domain, metadata }: ErrorInfo): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) => Buffer.concat([...textField(1, key), ...textField(2, value)]));
  const info = Buffer.concat([...textField(1, reason), ...textField(2, domain), ...entries.flatMap((entry) => [lengthDelimited(3, entry.length), entry])]);
  const any = Buffer.concat([...textField(1, 'type.googleapis.com/google.rpc.ErrorInfo'), lengthDelimited(2, info.length), info]);
  return Buffer.concat([varintOf(1 << 3), varintOf(code), ...textField(2, message), lengthDelimited(3, any.length), any]);
}

/** An empty response: the answer to a heartbeat. Google's client takes a stream for dead that leaves one unanswered for 15 s. */
export const STREAM_HEARTBEAT: Buffer = Buffer.alloc(0);

function timestampField(field: number, ms: number): Buffer[] {
  const seconds = Math.floor(ms / 1_000);
  // Both parts always, also when zero: a publisher's own value must not show through.
  const time = Buffer.concat([varintOf(1 << 3), varintOf(seconds), varintOf(2 << 3), varintOf((ms - seconds * 1_000) * 1_000_000)]);
  return [lengthDelimited(field, time.length), time];
}

function textField(field: number, text: string): Buffer[] {
  const bytes = Buffer.from(text, 'utf8');
  return [lengthDelimited(field, bytes.length), bytes];
}

function lengthDelimited(field: number, length: number): Buffer {
  const size = varintOf(length);
  return Buffer.concat([varintOf((field << 3) | LENGTH_DELIMITED), size]);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
