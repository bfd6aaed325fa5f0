// Generation: what is committed is what the schemas give, the tables have GA4's columns, and what cannot be a column is refused.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import secureSchema from 'ajv/lib/refs/json-schema-secure.json' with { type: 'json' };
import { afterAll, describe, expect, test } from 'vitest';
import { generatedFiles, staleFiles } from '../../scripts/generate.ts';
import { readCatalogue } from '../../scripts/generate/read-catalogue.ts';
import { SchemaRefusal } from '../../scripts/generate/refuse.ts';
import { STREAMS } from '../../schemas/generated/streams.ts';
import events from '../../schemas/generated/events.bigquery.json' with { type: 'json' };

const ROOT = new URL('../..', import.meta.url).pathname;

test('the committed files are what the schemas give', () => {
  expect(staleFiles(ROOT, generatedFiles(ROOT))).toEqual([]);
});

test('npm run generate -- --check exits 1 and names a stale file; generating mends it and says what changed', () => {
  const root = mkdtempSync(join(tmpdir(), 'chiplog-root-'));
  try {
    for (const folder of ['schemas', 'docs/schemas']) cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
    writeFileSync(join(root, 'schemas/generated/types.ts'), '// edited by hand');
    const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => spawnSync(process.execPath, ['scripts/generate.ts', '--root', root, ...args], { cwd: ROOT, encoding: 'utf8' });
    expect(run('--check')).toMatchObject({ status: 1, stderr: 'stale: schemas/generated/types.ts (changed)\n' });
    expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('changed: schemas/generated/types.ts') });
    expect(run('--check')).toMatchObject({ status: 0 });
    writeFileSync(join(root, 'schemas/streams.json'), '{"streams":{}}');
    expect(run('--check')).toMatchObject({ status: 1, stderr: expect.stringContaining('streams.json#/streams') });
  } finally {
    rmSync(root, { recursive: true });
  }
}, 20_000);

test('generating twice gives the same bytes', () => {
  expect([...generatedFiles(ROOT)]).toEqual([...generatedFiles(ROOT)]);
});

test('a changed, a missing and a surplus file are found', () => {
  const files = generatedFiles(ROOT);
  files.set('schemas/generated/types.ts', '');
  files.delete('schemas/generated/rows.ts');
  files.set('docs/schemas/more.md', '');
  expect(staleFiles(ROOT, files)).toEqual([
    { path: 'docs/schemas/more.md', change: 'new' },
    { path: 'schemas/generated/rows.ts', change: 'gone' },
    { path: 'schemas/generated/types.ts', change: 'changed' },
  ]);
});

test('the generated code imports nothing at run time but our own files', () => {
  const validators = readFileSync(join(ROOT, 'schemas/generated/validators.js'), 'utf8');
  expect(validators).not.toMatch(/\brequire\(|^import /m);
});

test('every schema that a stranger\'s bytes meet satisfies ajv\'s own security check', () => {
  const check = new Ajv({ strictTypes: false }).compile(secureSchema);
  const { streams, sources } = readCatalogue(join(ROOT, 'schemas'));
  const schemas = [sources, ...streams.flatMap(({ client }) => (client === undefined ? [] : [client.batch, client.context, client.event]))];
  expect(schemas).toHaveLength(7);
  for (const schema of schemas) expect([schema['title'], check(schema), check.errors]).toEqual([schema['title'], true, null]);
  expect(check({ type: 'string', pattern: '^(a+)+$' })).toBe(false);
});

/** Written from the notes on real GA4 tables, not from the schema: name, type, and the fields of records. */
const VALUE = 'value<string_value STRING,int_value INTEGER,float_value FLOAT,double_value FLOAT';
const texts = (names: string): string => names.split(' ').map((name) => `${name} STRING`).join(',');
const floats = (names: string): string => names.split(' ').map((name) => `${name} FLOAT`).join(',');
const GA4 = [
  'event_date STRING', 'event_timestamp INTEGER', 'event_name STRING', `event_params[]<key STRING,${VALUE}>>`, 'event_previous_timestamp INTEGER',
  'event_value_in_usd FLOAT', 'event_bundle_sequence_id INTEGER', 'event_server_timestamp_offset INTEGER', 'user_id STRING', 'user_pseudo_id STRING',
  `privacy_info<${texts('analytics_storage ads_storage uses_transient_token')}>`,
  `user_properties[]<key STRING,${VALUE},set_timestamp_micros INTEGER>>`, 'user_first_touch_timestamp INTEGER', 'user_ltv<revenue FLOAT,currency STRING>',
  `device<${texts('category mobile_brand_name mobile_model_name mobile_marketing_name mobile_os_hardware_model operating_system operating_system_version vendor_id advertising_id language is_limited_ad_tracking')},time_zone_offset_seconds INTEGER,${texts('browser browser_version')},web_info<${texts('browser browser_version hostname')}>>`,
  `geo<${texts('city country continent region sub_continent metro')}>`, `app_info<${texts('id version install_store firebase_app_id install_source')}>`,
  `traffic_source<${texts('name medium source')}>`, 'stream_id STRING', 'platform STRING', 'event_dimensions<hostname STRING>',
  `ecommerce<total_item_quantity INTEGER,${floats('purchase_revenue_in_usd purchase_revenue refund_value_in_usd refund_value shipping_value_in_usd shipping_value tax_value_in_usd tax_value')},unique_items INTEGER,transaction_id STRING>`,
  `items[]<${texts('item_id item_name item_brand item_variant item_category item_category2 item_category3 item_category4 item_category5')},${floats('price_in_usd price')},quantity INTEGER,${floats('item_revenue_in_usd item_revenue item_refund_in_usd item_refund')},${texts('coupon affiliation location_id item_list_id item_list_name item_list_index promotion_id promotion_name creative_name creative_slot')},item_params[]<key STRING,${VALUE}>>>`,
  `collected_traffic_source<${texts('manual_campaign_id manual_campaign_name manual_source manual_medium manual_term manual_content manual_source_platform manual_creative_format manual_marketing_tactic gclid dclid srsltid')}>`,
  'is_active_user BOOLEAN', 'batch_event_index INTEGER', 'batch_page_id INTEGER', 'batch_ordering_id INTEGER',
  `session_traffic_source_last_click<${[
    ['manual_campaign', 'campaign_id campaign_name source medium term content source_platform creative_format marketing_tactic'],
    ['google_ads_campaign', 'customer_id account_name campaign_id campaign_name ad_group_id ad_group_name'],
    ['cross_channel_campaign', 'campaign_id campaign_name source medium source_platform default_channel_group primary_channel_group'],
    ['sa360_campaign', 'campaign_id campaign_name source medium ad_group_id ad_group_name creative_format engine_account_name engine_account_type manager_account_name'],
    ['cm360_campaign', 'campaign_id campaign_name source medium account_id account_name advertiser_id advertiser_name creative_id creative_format creative_name creative_type creative_type_id creative_version placement_id placement_cost_structure placement_name rendering_id site_id site_name'],
    ['dv360_campaign', 'campaign_id campaign_name source medium advertiser_id advertiser_name creative_id creative_format creative_name exchange_id exchange_name insertion_order_id insertion_order_name line_item_id line_item_name partner_id partner_name'],
  ].map(([name, fields]) => `${name}<${texts(fields!)}>`).join(',')}>`,
  `publisher<ad_revenue_in_usd FLOAT,${texts('ad_format ad_source_name ad_unit_id')}>`, 'event_original_occurrence_timestamp INTEGER',
];

type Field = { name: string; type: string; mode: string; fields?: Field[] };
const said = ({ name, type, mode, fields }: Field): string => {
  const repeated = mode === 'REPEATED' ? '[]' : '';
  return fields === undefined ? `${name}${repeated} ${type}` : `${name}${repeated}<${fields.map(said).join(',')}>`;
};

test('the events table has the 31 columns of the GA4 export in their order and types, then ours', () => {
  expect(GA4).toHaveLength(31);
  expect((events as Field[]).map(said)).toEqual([...GA4, 'event_id STRING', 'received_timestamp INTEGER', `ingest<${texts('source protocol message_id request_id')},is_late BOOLEAN>`]);
});

test('no column is REQUIRED in any table', () => {
  const modes = Object.keys(STREAMS).flatMap((stream) => [...readFileSync(join(ROOT, `schemas/generated/${stream}.bigquery.json`), 'utf8').matchAll(/"mode": "(\w+)"/g)].map(([, mode]) => mode));
  expect(new Set(modes)).toEqual(new Set(['NULLABLE', 'REPEATED']));
});

test('computed columns are filled by the rollover only', () => {
  const computed = STREAMS.events.columns.filter(({ filled_by: by }) => by === 'rollover').map(({ name }) => name);
  expect(computed).toEqual(['event_previous_timestamp', 'user_first_touch_timestamp', 'user_ltv', 'traffic_source', 'is_active_user']);
});

describe('generation refuses, with the pointer of the offending keyword,', () => {
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  /** A copy of schemas/ with one JSON file changed. */
  function refusalOf(file: string, change: (schema: any) => void): SchemaRefusal {
    const folder = mkdtempSync(join(tmpdir(), 'chiplog-generate-'));
    folders.push(folder);
    cpSync(join(ROOT, 'schemas'), folder, { recursive: true, filter: (path) => !/generated|examples/.test(path) });
    const schema = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    change(schema);
    writeFileSync(join(folder, file), JSON.stringify(schema));
    try {
      readCatalogue(folder);
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaRefusal);
      return error as SchemaRefusal;
    }
    throw new Error('nothing was refused');
  }

  const field = { type: ['string', 'null'], maxLength: 10, description: 'A field.', examples: ['a'] };
  const asColumn = (more: object) => (schema: any): void => {
    schema.$defs.event.properties.mine = { 'x-column': 99, ...field, ...more };
  };
  const without = (keyword: string) => (schema: any): void => {
    const { [keyword as 'type']: _gone, ...rest } = field;
    schema.$defs.event.properties.mine = { 'x-column': 99, ...rest };
  };
  const MINE = '/properties/events/items/properties/mine';

  test.each([
    ['a text without maxLength', without('maxLength'), `${MINE}/maxLength`],
    ['a field without a description', without('description'), `${MINE}/description`],
    ['a field without an example', without('examples'), `${MINE}/examples`],
    ['an array without maxItems', asColumn({ type: 'array', items: { type: 'number' } }), `${MINE}/maxItems`],
    ['an object without maxProperties', asColumn({ type: 'object', additionalProperties: false, properties: { a: field } }), `${MINE}/maxProperties`],
    ['two types', asColumn({ type: ['string', 'number'] }), '/properties/mine/type'],
    ['a column without a type', without('type'), '/properties/mine/type'],
    ['anyOf', asColumn({ anyOf: [{ type: 'string' }] }), '/properties/mine/anyOf'],
    ['a record that takes any field', asColumn({ type: 'object', maxProperties: 9, properties: { a: field } }), '/properties/mine/additionalProperties'],
    ['a record without fields', asColumn({ type: 'object', maxProperties: 9, additionalProperties: false }), '/properties/mine/properties'],
    ['an array of arrays', asColumn({ type: 'array', maxItems: 9, items: { type: 'array', maxItems: 9, items: { type: 'number' } } }), '/properties/mine/items/type'],
    ['null in an array', asColumn({ type: 'array', maxItems: 9, items: { type: ['number', 'null'] } }), '/properties/mine/items/type'],
    ['an unknown x-bigquery', asColumn({ 'x-bigquery': 'GEOGRAPHY' }), '/properties/mine/x-bigquery'],
    ['a column number that is taken', asColumn({ 'x-column': 31 }), '/properties/mine/x-column'],
    ['a column number that is none', asColumn({ 'x-column': 0 }), '/properties/mine/x-column'],
    ['$data', asColumn({ maxLength: { $data: '/a' } }), '/$defs/event/properties/mine/maxLength/$data'],
    ['a remote $ref', asColumn({ $ref: 'https://example.com/schema.json' }), '/$defs/event/properties/mine/$ref'],
    ['a $ref that leaves the folder', asColumn({ $ref: '../../package.json' }), '/$defs/event/properties/mine/$ref'],
    ['a $ref that names nothing', asColumn({ $ref: '#/$defs/nothing' }), '/$defs/event/properties/mine/$ref'],
    ['a name that objects inherit', (schema: any): void => { schema.$defs.event.properties.toString = { 'x-column': 99, ...field }; }, '/properties/events/items/properties/toString'],
    ['a column name that BigQuery has not', (schema: any): void => { schema.$defs.event.properties['my-field'] = { 'x-column': 99, ...field }; }, '/properties/my-field'],
  ])('%s', (_, change, pointer) => {
    expect(refusalOf('event/1.schema.json', change).pointer).toBe(pointer);
  });

  test('a schema that contains itself', () => {
    const refusal = refusalOf('event/1.schema.json', (schema) => {
      schema.$defs.tree = { type: 'object', maxProperties: 1, additionalProperties: false, properties: { tree: { $ref: '#/$defs/tree', description: 'Itself.', examples: [{}] } } };
      schema.$defs.event.properties.mine = { 'x-column': 99, $ref: '#/$defs/tree', description: 'A tree.', examples: [{}] };
    });
    expect(refusal.message).toContain('contains itself');
  });

  test.each([['events'], ['events_more']])('a stream with prefix "%s" beside "events"', (prefix) => {
    const refusal = refusalOf('streams.json', ({ streams }) => {
      streams.inference.table_prefix = prefix;
    });
    expect(refusal.pointer).toBe('/streams/inference/table_prefix');
  });

  test('clustering by what is no column', () => {
    expect(refusalOf('streams.json', ({ streams }) => { streams.events.clustering = ['event_nam']; }).pointer).toBe('/streams/events/clustering');
  });

  test('a misspelt field of the catalogue', () => {
    expect(refusalOf('streams.json', ({ streams }) => { streams.events.rote = '/v1/x'; }).pointer).toBe('/streams/events/rote');
  });
});
