// Beside the tour: recorded Measurement Protocol requests, byte for byte, through the real framework into the table.
import { readFileSync, readdirSync, writeFileSync, mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, eventually, spawnLocalRun, type SpawnedRun } from './tour.ts';

const CAPTURES = resolve(import.meta.dirname, '../collect/captures');
type Capture = { request: { method: string; url: string; rawHeaders: string[]; body: string } };

let run: SpawnedRun;
beforeAll(async () => {
  const sources = join(mkdtempSync(join(tmpdir(), 'chiplog-sources-')), 'sources.json');
  writeFileSync(sources, JSON.stringify({ sources: [{ id: 'recorded', write_keys: ['demo_secret'], streams: ['events'], origins: ['*'], enabled: true }] }));
  run = await spawnLocalRun(['--now', '2026-11-22T12:00:00Z', '--sources', sources]);
});
afterAll(() => run?.stop());

/** As it was on the wire: its own headers, no Content-Type where it had none. */
function replay({ request: recorded }: Capture): Promise<{ status: number; text: string }> {
  const headers: string[] = [];
  for (let i = 0; i < recorded.rawHeaders.length; i += 2) {
    if (!['host', 'connection', 'content-length', 'transfer-encoding'].includes(recorded.rawHeaders[i]!.toLowerCase())) headers.push(recorded.rawHeaders[i]!, recorded.rawHeaders[i + 1]!);
  }
  headers.push('Host', new URL(run.collector_url).host, 'Content-Length', String(Buffer.byteLength(recorded.body)));
  return new Promise((done, fail) => {
    const sending = request(`${run.collector_url}${recorded.url}`, { method: recorded.method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => done({ status: response.statusCode!, text }));
    });
    sending.on('error', fail).end(recorded.body);
  });
}

test('each recorded request is answered 200, twice, and becomes its rows', async () => {
  const files = readdirSync(CAPTURES).filter((name) => name.startsWith('ga4mp-'));
  expect(files).toHaveLength(3);
  for (const file of [...files, ...files]) {
    const answer = await replay(JSON.parse(readFileSync(join(CAPTURES, file), 'utf8')) as Capture);
    expect([file, answer.status]).toEqual([file, 200]);
  }
  const rows = await eventually('the rows of the app and the site', async () => {
    // Their events are of 20 November, which closed two days ago, and of the moment of receipt.
    const found = await ask<Record<string, any>>(run, `
      SELECT event_name, event_date, event_timestamp, user_id, user_pseudo_id, platform, stream_id, geo.country, geo.city, app_info.firebase_app_id, event_id,
        (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS session, items, ecommerce.transaction_id
      FROM (SELECT * FROM late_events_20261122 UNION ALL SELECT * FROM events_intraday_20261122)
      ORDER BY event_name`);
    return found.length >= 6 && found;
  });
  const purchase = rows.filter((row) => row['event_name'] === 'purchase');
  expect(purchase).toHaveLength(2);
  expect(new Set(purchase.map((row) => row['event_id'])).size).toBe(1);
  expect(purchase[0]).toMatchObject({ event_timestamp: 1795168801000000, event_date: '20261120', user_id: 'user-42', user_pseudo_id: '0123456789abcdef0123456789abcdef', country: 'ES', city: 'Madrid', firebase_app_id: '1:123456789012:ios:abc123', session: 1795168799, transaction_id: 'T1' });
  expect(purchase[0]!['items'][0]).toMatchObject({ item_id: 's1', item_name: 'Socks', price: 6.25, quantity: 2 });
  expect(new Set(rows.filter((row) => row['event_name'] === 'screen_view').map((row) => row['event_id'])).size).toBe(1);
  const signUp = rows.filter((row) => row['event_name'] === 'sign_up');
  expect(signUp[0]).toMatchObject({ platform: 'WEB', stream_id: 'G-DEMO12345', user_pseudo_id: '1234567890.1795168800', session: 1795168799, event_date: '20261122' });
});
