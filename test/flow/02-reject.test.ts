// Second stop: what is bad is named, kept whole, and hurts nobody.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, batchOf, countIds, eventAt, eventually, send, spawnLocalRun, type SpawnedRun } from './tour.ts';

let run: SpawnedRun;
beforeAll(async () => { run = await spawnLocalRun(); });
afterAll(() => run?.stop());

test('every seventh event is bad: exactly those are rejected, all the others are stored', async () => {
  const events = Array.from({ length: 70 }, (_, i) => eventAt(Date.now(), i % 7 === 3 ? 'not a name' : 'screen_view'));
  const answer = await send(run, '/v1/events', batchOf(events));
  const bad = events.flatMap((_event, i) => (i % 7 === 3 ? [i] : []));
  expect(answer.status).toBe(200);
  expect(answer.body.accepted).toBe(60);
  expect(answer.body.rejected!.map(({ index }) => index)).toEqual(bad);
  expect(answer.body.rejected!.every(({ code, pointer }) => code === 'bad_name' && pointer === '/event_name')).toBe(true);
  const good = events.filter((_event, i) => i % 7 !== 3).map(({ event_id: id }) => id);
  await eventually('60 rows', async () => (await countIds(run, 'events_*', good)) === 60);
  expect(await countIds(run, 'events_*', bad.map((i) => events[i]!.event_id))).toBe(0);
});

test('a rejected event is stored whole, with every reason and where it came from', async () => {
  const event = { ...eventAt(Date.now()), event_name: '9lives', no_such_field: { kept: ['as', 'sent'] } };
  const answer = await send(run, '/v1/events', batchOf([event], { app_info: { version: '1.2' } }));
  expect(answer.body.accepted).toBe(0);
  const [row] = await eventually('the rejected row', async () => {
    const rows = await ask<Record<string, unknown>>(run, 'SELECT stream, source, protocol, stage, event_index, event, batch, errors FROM `rejected_*` WHERE JSON_VALUE(event, \'$.event_id\') = @id', { id: event.event_id });
    return rows.length > 0 && rows;
  });
  expect(row).toMatchObject({ stream: 'events', protocol: 'native', stage: 'collect', event_index: 0 });
  expect(JSON.parse(row!['event'] as string)).toEqual(event);
  expect(JSON.parse(row!['batch'] as string)).toMatchObject({ user_pseudo_id: 'phone-1', app_info: { version: '1.2' } });
  const pointers = (row!['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
  expect(pointers).toContain('/event_name');
  expect(pointers.some((pointer) => pointer.includes('no_such_field'))).toBe(true);
});

test('a body that is no JSON is answered 400 and stored all the same', async () => {
  const answer = await send(run, '/v1/events', '{"events":[');
  expect(answer.status).toBe(400);
  const [row] = await eventually('the rejected body', async () => {
    const rows = await ask<Record<string, unknown>>(run, 'SELECT error_code, body_base64, body_bytes FROM `rejected_*` WHERE error_code = \'invalid_json\'');
    return rows.length > 0 && rows;
  });
  expect(Buffer.from(row!['body_base64'] as string, 'base64').toString()).toBe('{"events":[');
  expect(row!['body_bytes']).toBe(11);
});
