// Alerts and metrics read what the functions log, and docs/operating.md says what to do: the three must use the same words.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../../functions/errors.ts';
import { INFRA, plan } from './hcl/plan.ts';
import { readSources } from './hcl/parse.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const { resources, locals } = plan(readSources(INFRA), readFileSync(join(INFRA, 'examples/small.tfvars'), 'utf8'), INFRA);
const operating = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
const codeOf = (folder: string): string => readdirSync(join(ROOT, 'functions', folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(ROOT, 'functions', folder, name), 'utf8')).join('\n');
const all = codeOf('');

test('each line that an alert waits for is logged by the function that it names', () => {
  const FOLDERS: Record<string, string> = { collect: 'collect', rollover: 'rollover', maintain: 'maintain', 'write-bigquery': 'write/bigquery' };
  const alerts = Object.values(locals('log_alerts') as Record<string, { function: string; messages: string[] }>);
  const missing = alerts.flatMap(({ function: name, messages }) => {
    const code = codeOf(FOLDERS[name]!);
    // "making tables failed" is `${name} failed` with the name of a step.
    return messages.filter((message) => !code.includes(`'${message}'`) && !(code.includes('`${name} failed`') && code.includes(`step('${message.replace(/ failed$/, '')}'`)));
  });
  expect(alerts.length).toBeGreaterThanOrEqual(7);
  expect(missing).toEqual([]);
});

test('each counter that a metric reads is counted by the collector, in the line that the metric names', () => {
  const metrics = resources.filter(({ type }) => type === 'google_logging_metric');
  expect(metrics.map(({ key }) => key).sort()).toEqual(['events_accepted', 'events_rejected', 'requests_stored']);
  expect(metrics.filter(({ key }) => !all.includes(`metrics.count('${String(key)}'`))).toEqual([]);
  for (const { values } of metrics) expect(values['filter']).toContain('jsonPayload.message="Counted."');
  expect(readFileSync(join(ROOT, 'functions/metrics.ts'), 'utf8')).toContain("log('INFO', 'Counted.'");
});

test('every alert has its section in docs/operating.md, and every section is an alert\'s', () => {
  const sections = [...operating.matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-'));
  const alerts = resources.filter(({ type }) => type === 'google_monitoring_alert_policy').map(({ key }) => String(key));
  expect(sections.sort()).toEqual(alerts.sort());
});

test('the page of the 429 sends nobody to the rate limit: what Cloud Armor refuses never reaches the service that is counted', () => {
  const { query } = (locals('query_alerts') as Record<string, { query: string }>)['collector-full']!;
  const section = /^## Collector full\n([\s\S]*?)^## /m.exec(operating)![1]!;
  expect(query).toContain('run_googleapis_com:request_count');
  expect(section).not.toContain('429 of Cloud Armor');
  expect(section).toContain('loadbalancing.googleapis.com/https/request_count');
});

test('the links and the quoted log lines of docs/operating.md lead somewhere', () => {
  const sections = new Set([...operating.matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-')));
  expect([...operating.matchAll(/\]\(#([a-z-]+)\)/g)].map(([, name]) => name!).filter((name) => !sections.has(name))).toEqual([]);
  const quoted = [...operating.matchAll(/jsonPayload\.message=\\"([^"\\]+)\\"/g)].map(([, message]) => message!);
  const inTables = [...operating.matchAll(/^\| `([A-Z][^`…]+)[`…]/gm)].map(([, message]) => message!);
  expect([...quoted, ...inTables].length).toBeGreaterThan(5);
  expect([...quoted, ...inTables].filter((message) => !all.includes(message))).toEqual([]);
  const codes = [...operating.matchAll(/`([a-z]+_[a-z_]+)`/g)].map(([, name]) => name!).filter((name) => /exceeded|changed|missing/.test(name));
  expect(codes.filter((code) => !(code in ERRORS) && !all.includes(`'${code}'`))).toEqual([]);
});

test('the queries of docs/operating.md name columns that the tables have', () => {
  const rejected = (JSON.parse(readFileSync(join(ROOT, 'schemas/generated/rejected.bigquery.json'), 'utf8')) as { name: string }[]).map(({ name }) => name);
  const rollovers = (JSON.parse(readFileSync(join(INFRA, 'kept-tables.json'), 'utf8')) as { name: string; fields: { name: string }[] }[]).find(({ name }) => name === 'rollovers')!.fields.map(({ name }) => name);
  const named = /SELECT (error_code, [a-z_, ]+), COUNT/.exec(operating)![1]!.split(', ');
  expect([...named, 'error_message', 'event_date'].filter((name) => !rejected.includes(name))).toEqual([]);
  expect(['status', 'recorded_timestamp', 'reason'].filter((name) => !rollovers.includes(name))).toEqual([]);
});

test('the dashboard reads as the flow does: its columns from left to right, every tile in its column, none over another', () => {
  const dashboard = JSON.parse(resources.find(({ type }) => type === 'google_monitoring_dashboard')!.values['dashboard_json']) as { mosaicLayout: { columns: number; tiles: { xPos?: number; yPos?: number; width: number; height: number; widget: { title: string } }[] } };
  const { columns } = dashboard.mosaicLayout;
  const tiles = dashboard.mosaicLayout.tiles.map((tile) => ({ ...tile, xPos: tile.xPos ?? 0, yPos: tile.yPos ?? 0 }));
  expect(tiles.filter(({ yPos }) => yPos === 0).toSorted((a, b) => a.xPos - b.xPos).map(({ widget }) => widget.title)).toEqual(['Collect', 'Pub/Sub', 'Write', 'Tables']);
  expect(tiles.filter(({ xPos, width }) => xPos + width > columns)).toEqual([]);
  const overlapping = tiles.flatMap((one, index) => tiles.slice(index + 1).filter((other) =>
    one.xPos < other.xPos + other.width && other.xPos < one.xPos + one.width && one.yPos < other.yPos + other.height && other.yPos < one.yPos + one.height).map((other) => `${one.widget.title} and ${other.widget.title}`));
  expect(overlapping).toEqual([]);
});

test('a filter of Cloud Monitoring has at most 2,048 characters', () => {
  const filters = resources.filter(({ type }) => type === 'google_monitoring_alert_policy').flatMap(({ values }) => [values['conditions'][0].condition_threshold?.[0]?.filter, values['conditions'][0].condition_matched_log?.[0]?.filter]).filter((filter) => filter !== undefined) as string[];
  expect(filters.length).toBeGreaterThanOrEqual(8);
  expect(filters.filter((filter) => filter.length > 2_048)).toEqual([]);
});
