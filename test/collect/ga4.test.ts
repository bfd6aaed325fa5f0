// GA4 Measurement Protocol: recorded requests, byte for byte through the real process, and the mapping itself as a pure function.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { protocol } from '../../functions/collect/protocols/ga4/index.ts';
import type { MappingFacts } from '../../functions/collect/protocols/protocol.ts';
import type { RejectedBody } from '../../functions/envelope.ts';
import { startCollector, type Answer, type RunningCollector } from './running-collector.ts';

const FOLDER = join(import.meta.dirname, 'captures');
type Capture = { request: { method: string; url: string; rawHeaders: string[]; body: string } };
const capture = (what: string): Capture => JSON.parse(readFileSync(join(FOLDER, `ga4mp-${what}.json`), 'utf8')) as Capture;
const NOON = Date.UTC(2026, 10, 22, 12);

let collector: RunningCollector;
beforeAll(async () => { collector = await startCollector({ clockOffsetMs: NOON - Date.now() }); });
afterAll(() => collector.close());
beforeEach(async () => { for (const stream of ['events', 'rejected'] as const) await collector.stored(stream); });

function replay({ request }: Capture): Promise<Answer> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!.toLowerCase();
    if (!['host', 'connection'].includes(name)) headers[name] = request.rawHeaders[i + 1]!;
  }
  return collector.send({ path: request.url, method: request.method, headers, body: request.body, key: null });
}

const facts = (client: MappingFacts['client'] = {}, requestId = 'request-1'): MappingFacts => ({ requestId, receivedTimestamp: NOON * 1_000, source: 'demo-app', client });
const idsOf = (body: unknown, given = facts()): string[] => protocol.toBatch(body, given).events.map((event) => (event as { event_id: string }).event_id);

describe('recorded requests', () => {
  test('there are three', () => expect(readdirSync(FOLDER)).toHaveLength(3));

  test('an app\'s batch is stored as sent', async () => {
    const sent = capture('app-collect');
    const answer = await replay(sent);
    expect([answer.status, answer.json]).toEqual([200, { accepted: 2, rejected: [] }]);
    const [line] = (await collector.stored('events', 1)).lines;
    expect(line).toMatchObject({ protocol: 'ga4', source: 'demo-app', events: 2, rejected: [], client: { query: { firebase_app_id: '1:123456789012:ios:abc123' } } });
    expect(line!.body).toEqual(JSON.parse(sent.request.body));
    expect(JSON.stringify(line!.client)).not.toContain('demo_secret');
  });

  test('a site\'s event without a time gets the time of its receipt', async () => {
    expect((await replay(capture('web-collect'))).json).toEqual({ accepted: 1, rejected: [] });
    const [line] = (await collector.stored('events', 1)).lines;
    expect(Math.abs(line!.received_timestamp / 1_000 - NOON)).toBeLessThan(600_000);
  });

  test('the validation endpoint answers in Google\'s shape and stores nothing', async () => {
    const answer = await replay(capture('debug-collect-invalid'));
    expect(answer.status).toBe(200);
    expect(answer.json.validationMessages).toEqual([{
      fieldPath: 'events', validationCode: 'NAME_INVALID', description: 'Event at index: [0] has invalid name [_badEventName]. Names must start with an alphabetic character.',
    }]);
    expect(answer.json.chiplog.events).toMatchObject([{ index: 0, rejected: [{ code: 'bad_name' }] }]);
    for (const stream of ['events', 'rejected'] as const) expect((await collector.stored(stream)).lines).toEqual([]);
  });
});

describe('the endpoints', () => {
  const app = '/mp/collect?firebase_app_id=1:1:android:a';

  test('an unknown api_secret is 401', async () => {
    for (const path of [app, `/debug${app}`]) expect((await collector.send({ path: `${path}&api_secret=wrong`, key: null, body: '{"events":[]}' })).status).toBe(401);
  });

  test('a malformed event is 200 and stored as rejected, with its neighbour accepted', async () => {
    const body = JSON.stringify({ app_instance_id: 'x', events: [{ name: '_bad' }, 7, { name: 'good' }] });
    const answer = await collector.send({ path: `${app}&api_secret=demo`, key: null, body });
    expect([answer.status, answer.json.accepted]).toEqual([200, 1]);
    const { lines } = await collector.stored('rejected', 2);
    expect(lines.map(({ body: refused }) => (refused as RejectedBody).event)).toEqual([{ name: '_bad' }, 7]);
  });

  test('more than 25 events are stored; only the validation endpoint complains', async () => {
    const body = JSON.stringify({ app_instance_id: 'x', events: Array.from({ length: 26 }, () => ({ name: 'e' })) });
    expect((await collector.send({ path: `${app}&api_secret=demo`, key: null, body })).json.accepted).toBe(26);
    const { json } = await collector.send({ path: `/debug${app}&api_secret=demo`, key: null, body });
    expect(json.validationMessages.map((message: { validationCode: string }) => message.validationCode)).toEqual(['EXCEEDED_MAX_ENTITIES']);
    expect((await collector.send({ path: `/debug${app}&api_secret=demo`, key: null, body: JSON.stringify({ app_instance_id: 'x', events: Array.from({ length: 25 }, () => ({ name: 'e' })) }) })).json.validationMessages).toEqual([]);
  });

  test('the validation endpoint tells the table and the row of each event', async () => {
    const { json } = await collector.send({ path: capture('app-collect').request.url.replace('/mp', '/debug/mp'), key: null, body: capture('app-collect').request.body });
    const [, purchase] = json.chiplog.events;
    expect(purchase).toMatchObject({ index: 1, table: 'late_events_20261122', row: {
      event_name: 'purchase', event_date: '20261120', event_timestamp: 1_795_168_801_000_000, user_id: 'user-42', user_pseudo_id: '0123456789abcdef0123456789abcdef', platform: 'IOS',
      ecommerce: { transaction_id: 'T1', purchase_revenue: 12.5, total_item_quantity: 2, unique_items: 1 }, items: [{ item_id: 's1', item_revenue: 12.5 }],
    } });
    expect(purchase.row.event_params).toContainEqual({ key: 'ga_session_id', value: { int_value: 1_795_168_799 } });
  });

  test('a source without consent stores no ids, yet the same event has the same id', async () => {
    const body = JSON.stringify({ client_id: 'SECRET', user_data: { sha256_email_address: ['SECRET'] }, timestamp_micros: NOON * 1_000, events: [{ name: 'e' }] });
    await collector.send({ path: '/mp/collect?measurement_id=G-1&api_secret=no-consent', key: null, body });
    const [line] = (await collector.stored('events', 1)).lines;
    expect(JSON.stringify(line)).not.toContain('SECRET');
    expect(idsOf(line!.body, { ...facts(), source: 'no-consent' })).toEqual(idsOf(JSON.parse(body), { ...facts(), source: 'no-consent' }));
  });
});

describe('the mapping', () => {
  test('every field of the app sample has its place', () => {
    const { batch, events } = protocol.toBatch(JSON.parse(capture('app-collect').request.body), facts({ query: { firebase_app_id: '1:1:ios:a' } }));
    expect(batch).toMatchObject({
      user_id: 'user-42', user_pseudo_id: '0123456789abcdef0123456789abcdef', stream_id: '1:1:ios:a', platform: 'IOS', app_info: { firebase_app_id: '1:1:ios:a' },
      user_properties: { plan: { value: 'pro' }, logins: { value: 3, set_timestamp_micros: 1_795_168_700_000_000 } },
      device: { category: 'mobile', language: 'en', operating_system: 'iOS', operating_system_version: '18.1', mobile_model_name: 'iPhone17,1', mobile_brand_name: 'Apple' },
      geo: { city: 'Madrid', region: 'ES-MD', country: 'ES' }, privacy_info: { ads_storage: 'Yes' },
    });
    expect(events[0]).toMatchObject({ event_name: 'screen_view', event_timestamp: 1_795_168_800_000_000, event_params: {
      firebase_screen: 'Home', ga_session_id: 1_795_168_799, engagement_time_msec: 100, screen_resolution: '1280x2856', ad_personalization: 'DENIED',
    } });
    expect((events[1] as { event_params: object }).event_params).not.toHaveProperty('items');
  });

  test('dollars are only known when the currency is dollars', () => {
    const purchase = (currency: string): unknown => protocol.toBatch({ events: [{ name: 'purchase', params: { currency, value: '12.5' } }] }, facts()).events[0];
    expect(purchase('USD')).toMatchObject({ event_value_in_usd: 12.5, ecommerce: { purchase_revenue: 12.5, purchase_revenue_in_usd: 12.5 } });
    expect(purchase('EUR')).toMatchObject({ ecommerce: { purchase_revenue: 12.5 } });
    expect(JSON.stringify(purchase('EUR'))).not.toContain('usd');
  });

  test('the same body sent again has the same ids; another client, time, name, parameter or place has others', () => {
    const body = (change: object = {}, event: object = {}): unknown => ({ client_id: 'c', timestamp_micros: 1, events: [{ name: 'e', params: { a: 1 }, ...event }, { name: 'e', params: { a: 1 }, ...event }], ...change });
    const [first, second] = idsOf(body());
    expect(idsOf(body(), facts({}, 'another request'))).toEqual([first, second]);
    const others = [body({ client_id: 'd' }), body({ timestamp_micros: 2 }), body({}, { name: 'f' }), body({}, { params: { a: 2 } })].map((other) => idsOf(other)[0]);
    expect(new Set([first, second, ...others]).size).toBe(6);
  });

  test('without any time the id is the place in the request', () => {
    const body = { client_id: 'c', events: [{ name: 'e' }, { name: 'e' }] };
    expect(idsOf(body)).toEqual(idsOf(body));
    expect(new Set([...idsOf(body), ...idsOf(body, facts({}, 'another request'))]).size).toBe(4);
  });
});
