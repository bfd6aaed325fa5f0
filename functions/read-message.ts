// What Pub/Sub pushes in, envelopes out. Called by every subscriber. A message that can never be read is `rejected` (it goes to
// the rejected stream and is acknowledged); one of an envelope version that this code does not know is `retry` (it waits).
import { gunzipSync } from 'node:zlib';
import { ENVELOPE_VERSIONS_READ, type Envelope, type PushedMessage } from './envelope.ts';
import { ingestError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { accepted, rejected, retry, type Outcome } from './outcome.ts';

/** The collector packs at most messageMergedBytesMax; a single line may be a little larger than its events. */
const INFLATED_BYTES_MAX = 2 * LIMITS.messageMergedBytesMax;

const undecodable = (reason: string): Outcome<never> => rejected(ingestError('message_undecodable', { reason }));
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Decodes the JSON wrapping of a push subscription: the request body as bytes, or already parsed. */
export function readPush(body: unknown): Outcome<PushedMessage> {
  let push: unknown = body;
  if (body instanceof Uint8Array || typeof body === 'string') {
    try {
      push = JSON.parse(typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
    } catch {
      return undecodable('the push body is not JSON');
    }
  }
  const message = isRecord(push) ? push['message'] : undefined;
  if (!isRecord(push) || !isRecord(message)) return undecodable('the push body has no message');
  const { messageId, publishTime, data, attributes } = message;
  if (typeof messageId !== 'string' || messageId === '') return undecodable('the message has no messageId');
  const publishTimeMs = typeof publishTime === 'string' ? Date.parse(publishTime) : NaN;
  if (Number.isNaN(publishTimeMs)) return undecodable('the message has no publishTime');
  const bytes = typeof data === 'string' ? decodeBase64(data) : new Uint8Array();
  if (bytes === undefined) return undecodable('the data is not base64');
  return accepted({
    messageId,
    publishTimeMs,
    attributes: isRecord(attributes) ? (attributes as Record<string, string>) : {},
    data: bytes,
    subscription: typeof push['subscription'] === 'string' ? push['subscription'] : '',
    ...(typeof push['deliveryAttempt'] === 'number' ? { deliveryAttempt: push['deliveryAttempt'] } : {}),
  });
}

/** Node's decoder skips what is not base64; a length that does not fit shows that it did. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  const digits = text.replace(/=+$/, '').length;
  return bytes.length === Math.floor((digits * 3) / 4) ? bytes : undefined;
}

/** All envelopes of a message, in their order. */
export function readMessage(message: Pick<PushedMessage, 'data'>, versionsRead: readonly number[] = ENVELOPE_VERSIONS_READ): Outcome<Envelope[]> {
  let text: string;
  try {
    text = gunzipSync(message.data, { maxOutputLength: INFLATED_BYTES_MAX }).toString();
  } catch (error) {
    return undecodable(`its gzip cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  const envelopes: Envelope[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    let envelope: unknown;
    try {
      envelope = JSON.parse(line);
    } catch {
      return undecodable(`line ${envelopes.length + 1} is not JSON`);
    }
    if (!isRecord(envelope)) return undecodable(`line ${envelopes.length + 1} is no envelope`);
    // The version first: the other fields are only known for versions that are read here.
    const version = envelope['envelope'];
    if (typeof version === 'number' && !versionsRead.includes(version)) return retry(ingestError('envelope_version_unknown', { version }));
    if (!isEnvelope(envelope)) return undecodable(`line ${envelopes.length + 1} is no envelope`);
    envelopes.push(envelope);
  }
  return envelopes.length === 0 ? undecodable('it is empty') : accepted(envelopes);
}

function isEnvelope(value: Record<string, unknown>): value is Envelope & Record<string, unknown> {
  return typeof value['envelope'] === 'number' && typeof value['request_id'] === 'string' && typeof value['received_timestamp'] === 'number'
    && typeof value['stream'] === 'string' && typeof value['source'] === 'string' && typeof value['protocol'] === 'string'
    && typeof value['events'] === 'number' && Array.isArray(value['rejected']) && isRecord(value['client']) && 'body' in value;
}
