// What Pub/Sub refuses of a publish request: https://docs.cloud.google.com/pubsub/quotas#resource_limits. calls.ts asks before anything is written.
import { invalid } from './refusal.ts';
import { readMessage, type PublishRequest, type RawMessage } from './wire.ts';

const REQUEST_BYTES_MAX = 10_000_000;
const MESSAGES_MAX = 1_000;
const ATTRIBUTES_MAX = 100;
const ATTRIBUTE_KEY_BYTES_MAX = 256;
const ATTRIBUTE_VALUE_BYTES_MAX = 1_024;
const ORDERING_KEY_BYTES_MAX = 1_024;

/** `bytes`: of the whole request as it came. */
export function checkPublish({ messages }: PublishRequest, bytes: number): void {
  if (messages.length === 0) throw invalid('The value for message_count is too small. You passed 0 in the request, but the minimum value is 1.');
  if (messages.length > MESSAGES_MAX) throw tooLarge('message_count', messages.length, MESSAGES_MAX);
  if (bytes > REQUEST_BYTES_MAX) throw tooLarge('request_size', bytes, REQUEST_BYTES_MAX);
  const keys = new Set(messages.map(checkMessage));
  if (keys.size > 1) throw invalid('In a publish request, all messages must have the same ordering key, or none.');
}

/** Its ordering key. */
function checkMessage(raw: RawMessage): string {
  const { data, attributes, orderingKey } = readMessage(raw);
  if (data.length === 0 && attributes.size === 0) {
    throw invalid('One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute. See https://cloud.google.com/pubsub/docs/publisher for details.');
  }
  if (attributes.size > ATTRIBUTES_MAX) throw tooLarge('message_attributes_count', attributes.size, ATTRIBUTES_MAX);
  for (const [key, value] of attributes) {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = Buffer.byteLength(value);
    if (keyBytes === 0) throw invalid('The key of an attribute must not be empty.');
    if (key.startsWith('goog')) throw invalid(`The attribute key ${JSON.stringify(key)} begins with the reserved prefix "goog".`);
    if (keyBytes > ATTRIBUTE_KEY_BYTES_MAX) throw tooLarge('attribute_key_size', keyBytes, ATTRIBUTE_KEY_BYTES_MAX);
    if (valueBytes > ATTRIBUTE_VALUE_BYTES_MAX) throw tooLarge('attribute_value_size', valueBytes, ATTRIBUTE_VALUE_BYTES_MAX);
  }
  if (Buffer.byteLength(orderingKey) > ORDERING_KEY_BYTES_MAX) throw tooLarge('ordering_key_size', Buffer.byteLength(orderingKey), ORDERING_KEY_BYTES_MAX);
  return orderingKey;
}

export function tooLarge(what: string, value: number, max: number): Error {
  return invalid(`The value for ${what} is too large. You passed ${value} in the request, but the maximum value is ${max}.`);
}
