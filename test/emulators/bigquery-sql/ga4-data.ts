// Six events of two users on three days, in tables shaped like the GA4 export; used by the tests of GoogleSQL idioms.
import type { TableField } from '../../../emulators/bigquery/sql/context.ts';
import { startEngine } from './engine.ts';
import type { Engine } from './engine.ts';

const field = (name: string, type: string): TableField => ({ name, type });
const PARAMS: TableField = {
  name: 'event_params', type: 'RECORD', mode: 'REPEATED',
  fields: [field('key', 'STRING'), { name: 'value', type: 'RECORD', fields: [field('string_value', 'STRING'), field('int_value', 'INTEGER'), field('float_value', 'FLOAT'), field('double_value', 'FLOAT')] }],
};
export const FIELDS: TableField[] = [
  field('event_date', 'STRING'), field('event_timestamp', 'INTEGER'), field('event_name', 'STRING'), PARAMS, field('user_pseudo_id', 'STRING'),
  { name: 'device', type: 'RECORD', fields: [field('category', 'STRING'), { name: 'web_info', type: 'RECORD', fields: [field('hostname', 'STRING')] }] },
  { name: 'ecommerce', type: 'RECORD', fields: [field('purchase_revenue', 'FLOAT')] },
  { name: 'items', type: 'RECORD', mode: 'REPEATED', fields: [field('item_id', 'STRING'), field('price', 'FLOAT'), field('quantity', 'INTEGER')] },
];

/** 2026-01-15 10:00:00 UTC in microseconds. */
export const TEN_O_CLOCK = 1_768_471_200_000_000;
const DAY = 86_400_000_000;
const SECOND = 1_000_000;

type Value = { s?: string; i?: number; d?: number };
const param = ([key, value]: [string, Value]): string =>
  `{'key': '${key}', 'value': {'string_value': ${value.s === undefined ? 'NULL' : `'${value.s}'`}, 'int_value': ${value.i ?? 'NULL'}, 'float_value': NULL, 'double_value': ${value.d ?? 'NULL'}}}`;
const item = ([id, price, quantity]: [string, number, number]): string => `{'item_id': '${id}', 'price': ${price}, 'quantity': ${quantity}}`;
const row = (date: string, timestamp: number, name: string, user: string, params: [string, Value][], revenue?: number, items: [string, number, number][] = []): string =>
  `'${date}', ${timestamp}, '${name}', [${params.map(param).join(', ')}], '${user}', {'category': 'mobile', 'web_info': {'hostname': 'h.com'}}, {'purchase_revenue': ${revenue ?? 'NULL'}}, [${items.map(item).join(', ')}]`;

export async function startGa4Engine(): Promise<Engine> {
  const engine = await startEngine();
  await engine.table('events_20260114', FIELDS, [row('20260114', TEN_O_CLOCK - DAY, 'page_view', 'u1', [['ga_session_id', { i: 1 }], ['page_location', { s: 'https://h.com/a?x=1' }]])]);
  await engine.table('events_20260115', FIELDS, [
    row('20260115', TEN_O_CLOCK, 'session_start', 'u1', [['ga_session_id', { i: 10 }], ['engagement_time_msec', { i: 100 }]]),
    row('20260115', TEN_O_CLOCK + SECOND, 'page_view', 'u1', [['ga_session_id', { i: 10 }], ['page_location', { s: 'https://h.com/b' }], ['engagement_time_msec', { i: 250 }]]),
    row('20260115', TEN_O_CLOCK + 2 * SECOND, 'purchase', 'u1', [['ga_session_id', { i: 10 }], ['value', { d: 30.5 }]], 30.5, [['sku1', 10.25, 2], ['sku2', 10, 1]]),
    row('20260115', TEN_O_CLOCK + 3 * SECOND, 'page_view', 'u2', [['ga_session_id', { i: 20 }]]),
  ]);
  await engine.table('events_intraday_20260116', FIELDS, [row('20260116', TEN_O_CLOCK + DAY, 'page_view', 'u2', [['ga_session_id', { i: 30 }]])]);
  return engine;
}
