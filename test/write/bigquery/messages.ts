// Pushed messages for tests of the writer: in go envelopes, out comes what Pub/Sub would push.
import { gzipSync } from 'node:zlib';
import type { Envelope, PushedMessage } from '../../../functions/envelope.ts';

export const NOON = Date.UTC(2026, 0, 15, 12);
export const NOON_MICROS = NOON * 1_000;

let eventsMade = 0;
/** A good event; every call another id. */
export function goodEvent(fields: Record<string, unknown> = {}): Record<string, unknown> {
  eventsMade += 1;
  return { event_id: `0198f2f0-6f1c-7b2e-9a63-${String(eventsMade).padStart(12, '0')}`, event_name: 'purchase', event_timestamp: NOON_MICROS - 1_000, ...fields };
}

export function envelopeOf(events: unknown[], fields: Partial<Envelope> = {}, batch: Record<string, unknown> = {}): Envelope {
  return {
    envelope: 1, request_id: 'request-1', received_timestamp: NOON_MICROS, stream: 'events', source: 'demo-app', protocol: 'native', code_version: '0.1.0',
    schema_version: 1, client: {}, events: events.length, rejected: [], body: { user_pseudo_id: 'a1', platform: 'ANDROID', ...batch, events }, ...fields,
  };
}

export function messageOf(envelopes: readonly unknown[], fields: Partial<PushedMessage> = {}): PushedMessage {
  const data = gzipSync(envelopes.map((envelope) => `${JSON.stringify(envelope)}\n`).join(''));
  return { messageId: '77', publishTimeMs: NOON, attributes: { stream: 'events' }, data, subscription: 'projects/p/subscriptions/chiplog-events-to-bigquery', ...fields };
}

export function pushBodyOf({ messageId, publishTimeMs, attributes, data, subscription }: PushedMessage): Buffer {
  return Buffer.from(JSON.stringify({
    message: { messageId, publishTime: new Date(publishTimeMs).toISOString(), attributes, data: Buffer.from(data).toString('base64') }, subscription,
  }));
}
