// The request bodies that every variant of a benchmark gets: GA4-like batches of 1, 20 and 100 events, about 340 bytes an event.
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type Body = { events: number; bytes: Buffer; gzip: boolean };

/** Bodies of one batch size that differ in ids and values; `nowMs` dates them, so that none is late. */
export function makeBodies(events: number, gzip: boolean, nowMs: number, count = 64): Body[] {
  return Array.from({ length: count }, (_, number) => {
    const text = JSON.stringify(makeBatch(events, nowMs, number));
    return { events, gzip, bytes: gzip ? gzipSync(text) : Buffer.from(text) };
  });
}

export function makeBatch(events: number, nowMs: number, number: number): Record<string, unknown> {
  const session = Math.floor(nowMs / 1_000) - 600;
  return {
    user_pseudo_id: `phone-${number}`, platform: 'ANDROID', app_info: { id: 'com.example.shop', version: '4.2.0' },
    events: Array.from({ length: events }, (_, i) => ({
      event_id: randomUUID(), event_name: i % 10 === 0 ? 'purchase' : 'screen_view', event_timestamp: (nowMs - i * 1_000) * 1_000,
      event_params: { ga_session_id: session, ga_session_number: 3, engagement_time_msec: 1_200 + i, firebase_screen: 'ProductDetails', firebase_screen_class: 'ProductActivity', value: 12.5 + i, currency: 'EUR', item_id: `sku-${i}` },
    })),
  };
}

/** Push bodies as Pub/Sub sends them: each a message of `requests` envelope lines with `eventsEach` events. */
export function makePushBodies(requests: number, eventsEach: number, nowMs: number, count = 24): Body[] {
  return Array.from({ length: count }, (_, number) => {
    const lines = Array.from({ length: requests }, (_unused, line) => JSON.stringify({
      envelope: 1, request_id: randomUUID(), received_timestamp: nowMs * 1_000, stream: 'events', source: 'bench', protocol: 'native', code_version: 'bench', schema_version: 1,
      client: { user_agent: 'bench/1' }, events: eventsEach, rejected: [], body: makeBatch(eventsEach, nowMs, number * requests + line),
    }));
    const message = {
      attributes: { stream: 'events', envelope: '1', events: String(requests * eventsEach), rejected: '0', encoding: 'gzip' },
      data: gzipSync(`${lines.join('\n')}\n`, { level: 1 }).toString('base64'), messageId: String(1_000_000 + number), publishTime: new Date(nowMs).toISOString(),
    };
    const push = { message: { ...message, message_id: message.messageId, publish_time: message.publishTime }, subscription: 'projects/bench/subscriptions/chiplog-events-to-bigquery' };
    return { events: requests * eventsEach, gzip: false, bytes: Buffer.from(JSON.stringify(push)) };
  });
}
