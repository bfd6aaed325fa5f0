// Fourteen events of three visitors of a shop on three days, with the columns of the GA4 export that analysts ask for: as values that any engine can be
// given. Used by the tests of GA4 queries here and by the one that asks Google's reference evaluator the same.
import type { TableField } from '../../../emulators/bigquery/sql/context.ts';

const field = (name: string, type = 'STRING'): TableField => ({ name, type });
const record = (name: string, fields: TableField[], mode = 'NULLABLE'): TableField => ({ name, type: 'RECORD', mode, fields });
const VALUE = [field('string_value'), field('int_value', 'INTEGER'), field('float_value', 'FLOAT'), field('double_value', 'FLOAT')];
const CAMPAIGN = [field('campaign_name'), field('source'), field('medium')];

export const SHOP_FIELDS: TableField[] = [
  field('event_date'), field('event_timestamp', 'INTEGER'), field('event_name'), record('event_params', [field('key'), record('value', VALUE)], 'REPEATED'),
  field('user_id'), field('user_pseudo_id'), record('user_properties', [field('key'), record('value', [...VALUE, field('set_timestamp_micros', 'INTEGER')])], 'REPEATED'),
  field('user_first_touch_timestamp', 'INTEGER'), record('device', [field('category'), record('web_info', [field('browser'), field('hostname')])]), record('geo', [field('country'), field('city')]),
  record('traffic_source', [field('name'), field('medium'), field('source')]), record('ecommerce', [field('transaction_id'), field('purchase_revenue', 'FLOAT'), field('tax_value', 'FLOAT')]),
  record('items', [field('item_id'), field('item_name'), field('price', 'FLOAT'), field('quantity', 'INTEGER'), record('item_params', [field('key'), record('value', VALUE)], 'REPEATED')], 'REPEATED'),
  record('collected_traffic_source', [field('manual_source'), field('manual_medium'), field('gclid')]), field('is_active_user', 'BOOLEAN'),
  record('session_traffic_source_last_click', [record('manual_campaign', CAMPAIGN), record('cross_channel_campaign', [...CAMPAIGN, field('default_channel_group')])]),
];

/** A row as the columns are named; what is missing is NULL, or an empty array. */
export type ShopEvent = { [column: string]: unknown; event_date: string };

/** 2026-01-14 22:59:58.000001 UTC, two seconds before midnight in Berlin. */
export const SHOP_START = 1_768_431_598_000_001;
const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

type Visitor = { id: string; login?: string; first: number; category: string; country: string; city: string | null; source: string; medium: string };
const ANNA: Visitor = { id: 'anna.1', login: 'u-1', first: SHOP_START, category: 'mobile', country: 'Germany', city: 'Köln', source: 'google', medium: 'organic' };
const BEN: Visitor = { id: 'ben.2', first: SHOP_START - 3 * DAY, category: 'desktop', country: 'Japan', city: '東京', source: '(direct)', medium: '(none)' };
const CLEO: Visitor = { id: 'cleo.3', first: SHOP_START + DAY, category: 'mobile', country: 'Germany', city: null, source: 'newsletter', medium: 'email' };

type Param = string | number | { double: number };
const params = (values: Record<string, Param>): unknown[] => Object.entries(values).map(([key, value]) => ({
  key, value: typeof value === 'string' ? { string_value: value } : typeof value === 'number' ? { int_value: value } : { double_value: value.double },
}));
const item = (id: string, name: string, price: number, quantity: number | null, color?: string): unknown => ({ item_id: id, item_name: name, price, quantity, item_params: color ? params({ color }) : [] });

function event(visitor: Visitor, date: string, at: number, name: string, values: Record<string, Param>, more: Record<string, unknown> = {}): ShopEvent {
  return {
    event_date: date, event_timestamp: SHOP_START + at, event_name: name, event_params: params(values), user_id: visitor.login, user_pseudo_id: visitor.id, user_first_touch_timestamp: visitor.first,
    device: { category: visitor.category, web_info: { browser: 'Chrome', hostname: 'shop.example' } }, geo: { country: visitor.country, city: visitor.city },
    traffic_source: { name: '(organic)', medium: visitor.medium, source: visitor.source }, is_active_user: true, ...more,
  };
}

const CLICK = { collected_traffic_source: { manual_source: 'google', manual_medium: 'cpc', gclid: 'Cj0' }, session_traffic_source_last_click: { manual_campaign: { campaign_name: 'brand-é', source: 'google', medium: 'cpc' }, cross_channel_campaign: { source: 'google', medium: 'cpc', default_channel_group: 'Paid Search' } } };
const MAIL = { collected_traffic_source: { manual_source: 'newsletter', manual_medium: 'email' }, session_traffic_source_last_click: { manual_campaign: { source: 'newsletter', medium: 'email' } } };
const PLAN = (plan: string, at: number): Record<string, unknown> => ({ user_properties: [{ key: 'plan', value: { string_value: plan, set_timestamp_micros: SHOP_START + at } }] });

export const SHOP_EVENTS: ShopEvent[] = [
  event(ANNA, '20260114', 0, 'session_start', { ga_session_id: 100, ga_session_number: 1, session_engaged: '0', page_location: 'https://shop.example/?utm_source=google&utm_campaign=brand-%C3%A9' }, CLICK),
  event(ANNA, '20260114', SECOND, 'page_view', { ga_session_id: 100, ga_session_number: 1, page_location: 'https://shop.example/', page_title: 'Start', page_referrer: 'https://www.google.com/', entrances: 1 }, CLICK),
  event(ANNA, '20260114', 5 * SECOND, 'page_view', { ga_session_id: 100, ga_session_number: 1, session_engaged: '1', engagement_time_msec: 4000, page_location: 'https://shop.example/hüte?color=red#top', page_title: 'Hüte' }),
  event(ANNA, '20260114', 9 * SECOND, 'view_item', { ga_session_id: 100, currency: 'EUR', value: { double: 19.9 } }, { items: [item('h1', 'Hut', 19.9, null, 'rot')] }),
  event(ANNA, '20260114', 60 * SECOND, 'add_to_cart', { ga_session_id: 100, engagement_time_msec: 51000 }, { items: [item('h1', 'Hut', 19.9, 2, 'rot')], ...PLAN('free', 0) }),
  event(BEN, '20260115', 20 * SECOND, 'session_start', { ga_session_id: 200, ga_session_number: 4 }),
  event(BEN, '20260115', 21 * SECOND, 'page_view', { ga_session_id: 200, ga_session_number: 4, session_engaged: '1', page_location: 'https://shop.example/cart/', page_title: 'Cart' }),
  event(ANNA, '20260115', DAY, 'session_start', { ga_session_id: 101, ga_session_number: 2, page_location: 'https://shop.example/cart/' }, PLAN('pro', DAY)),
  event(ANNA, '20260115', DAY + SECOND, 'purchase', { ga_session_id: 101, transaction_id: 'T1', value: { double: 54.8 }, currency: 'EUR', session_engaged: '1', engagement_time_msec: 900 }, { items: [item('h1', 'Hut', 19.9, 2, 'rot'), item('s9', 'Schal', 15, 1)], ecommerce: { transaction_id: 'T1', purchase_revenue: 54.8, tax_value: null }, ...PLAN('pro', DAY) }),
  event(CLEO, '20260115', DAY + 30 * SECOND, 'first_visit', { ga_session_id: 300, ga_session_number: 1 }, MAIL),
  event(CLEO, '20260115', DAY + 31 * SECOND, 'page_view', { ga_session_id: 300, ga_session_number: 1, page_location: 'https://shop.example/hüte', page_title: 'Hüte', page_referrer: 'https://m.facebook.com/' }, MAIL),
  event(CLEO, '20260115', DAY + 91 * SECOND, 'view_item', { ga_session_id: 300, value: 15 }, { items: [item('s9', 'Schal', 15, 1)] }),
  event(CLEO, '20260116', 2 * DAY, 'purchase', { ga_session_id: 301, ga_session_number: 2, value: 15, currency: 'EUR' }, { items: [item('s9', 'Schal', 15, 1)], ecommerce: { transaction_id: 'T2', purchase_revenue: 15, tax_value: 2.39 }, is_active_user: null }),
  event(BEN, '20260116', 2 * DAY + SECOND, 'scroll', { ga_session_id: 201, ga_session_number: 5, percent_scrolled: 90 }, { geo: null }),
];

/** The last day is still open. */
export const SHOP_TABLES: [name: string, events: ShopEvent[]][] = [
  ['events_20260114', SHOP_EVENTS.filter((one) => one.event_date === '20260114')], ['events_20260115', SHOP_EVENTS.filter((one) => one.event_date === '20260115')],
  ['events_intraday_20260116', SHOP_EVENTS.filter((one) => one.event_date === '20260116')],
];
