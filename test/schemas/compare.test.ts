// The comparison of two states of schemas/: what a change is, patch, minor or breaking, and which column or field it names.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareCatalogues, levelOf } from '../../scripts/check/compare-schemas.ts';
import { catalogueAt } from '../../scripts/check/schemas-since.ts';
import { readCatalogue, type Catalogue } from '../../scripts/generate/read-catalogue.ts';
import type { Column } from '../../scripts/generate/columns-of.ts';

const ROOT = join(import.meta.dirname, '../..');
const BEFORE = readCatalogue(join(ROOT, 'schemas'));

/** Columns and client schemas of stream events, to be changed in place. */
type Events = { columns: Column[]; column: (name: string) => Column; batch: any; event: any; entry: any };
function changed(change: (events: Events) => void): Catalogue {
  const after = structuredClone(BEFORE);
  const stream = after.streams.find(({ name }) => name === 'events')!;
  const batch = stream.client!.batch as any;
  change({ columns: stream.columns, column: (name) => stream.columns.find((column) => column.name === name)!, batch, event: batch.properties.events.items, entry: stream });
  return after;
}
const added: Column = { name: 'mine', number: 35, type: 'STRING', repeated: false, description: 'Mine.', filledBy: 'client', fields: [], schema: {} };

test('nothing changed is no change', () => {
  expect(compareCatalogues(BEFORE, structuredClone(BEFORE))).toEqual([]);
  expect(levelOf([])).toBeUndefined();
});

describe.each<[level: string, name: string, change: (events: Events) => void, where: string]>([
  ['patch', 'another description of a column', ({ column }) => { column('geo').description = 'Other words.'; }, 'events.geo'],
  ['patch', 'another example of a field', ({ event }) => { event.properties.user_id.examples = ['u2']; }, 'events batch.events[].user_id'],
  ['minor', 'a column added at the end', ({ columns }) => { columns.push(added); }, 'events.mine'],
  ['minor', 'a field added to the end of a record', ({ column }) => { column('geo').fields.push(added); }, 'events.geo.mine'],
  ['minor', 'an optional field added', ({ event }) => { event.properties.mine = {}; }, 'events batch.events[].mine'],
  ['minor', 'a longer text allowed', ({ event }) => { event.properties.user_id.maxLength = 500; }, 'events batch.events[].user_id'],
  ['minor', 'a type more allowed', ({ event }) => { event.properties.user_id.type.push('number'); }, 'events batch.events[].user_id'],
  ['minor', 'a bound removed', ({ event }) => { delete event.properties.items.maxItems; }, 'events batch.events[].items'],
  ['minor', 'a field no longer required', ({ event }) => { event.required = ['event_id']; }, 'events batch.events[].event_name'],
  ['minor', 'a value more in an enum', ({ event }) => { event.properties.privacy_info.properties.ads_storage.enum = ['Yes', 'No', 'Unset', null, 'Maybe']; }, 'events batch.events[].privacy_info.ads_storage'],
  ['breaking', 'rows kept for less long', ({ entry }) => { entry.daily_expiration_days = 30; }, 'events'],
  ['breaking', 'a column removed', ({ columns }) => { columns.splice(3, 1); }, 'events.event_params'],
  ['breaking', 'a column renamed', ({ column }) => { column('stream_id').name = 'data_stream_id'; }, 'events.stream_id'],
  ['breaking', 'a column of another type', ({ column }) => { column('event_timestamp').type = 'STRING'; }, 'events.event_timestamp'],
  ['breaking', 'a column that is no longer repeated', ({ column }) => { column('items').repeated = false; }, 'events.items'],
  ['breaking', 'a field removed from a record', ({ column }) => { column('device').fields.pop(); }, 'events.device.web_info'],
  ['breaking', 'columns in another order', ({ columns }) => { columns.splice(0, 2, columns[1]!, columns[0]!); }, 'events'],
  ['breaking', 'a column put before others', ({ column }) => { column('geo').fields.unshift(added); }, 'events.geo.mine'],
  ['breaking', 'a field that clients may no longer send', ({ event }) => { delete event.properties.user_id; }, 'events batch.events[].user_id'],
  ['breaking', 'a field now required', ({ event }) => { event.required.push('user_id'); }, 'events batch.events[].user_id'],
  ['breaking', 'a shorter text', ({ event }) => { event.properties.user_id.maxLength = 100; }, 'events batch.events[].user_id'],
  ['breaking', 'a bound where there was none', ({ event }) => { event.properties.event_value_in_usd.minimum = 0; }, 'events batch.events[].event_value_in_usd'],
  ['breaking', 'null no longer accepted', ({ event }) => { event.properties.user_id.type = 'string'; }, 'events batch.events[].user_id'],
  ['breaking', 'another pattern', ({ event }) => { event.properties.event_name.pattern = '^[a-z]+$'; }, 'events batch.events[].event_name'],
  ['breaking', 'a value less in an enum', ({ event }) => { event.properties.privacy_info.properties.ads_storage.enum = ['Yes', 'No', null]; }, 'events batch.events[].privacy_info.ads_storage'],
  ['breaking', 'fewer parameter names allowed', ({ event }) => { event.properties.event_params.propertyNames.maxLength = 24; }, 'events batch.events[].event_params (propertyNames)'],
  ['breaking', 'another table prefix', ({ entry }) => { entry.table_prefix = 'event'; }, 'events'],
  ['breaking', 'another clustering', ({ entry }) => { entry.clustering = []; }, 'events'],
])('%s: %s', (level, _, change, where) => {
  test('is said, and the place is named', () => {
    const changes = compareCatalogues(BEFORE, changed(change));
    expect(levelOf(changes)).toBe(level);
    expect(changes[0]).toMatchObject({ level, where });
  });
});

test('a renamed column is said to be renamed, and to what', () => {
  const changes = compareCatalogues(BEFORE, changed(({ column }) => { column('stream_id').name = 'data_stream_id'; }));
  expect(changes).toContainEqual({ level: 'breaking', where: 'events.stream_id', what: 'column renamed to data_stream_id' });
});

test('a stream added is minor, one removed is breaking', () => {
  const fewer = { ...BEFORE, streams: BEFORE.streams.slice(1) };
  expect(levelOf(compareCatalogues(fewer, BEFORE))).toBe('minor');
  expect(compareCatalogues(BEFORE, fewer)[0]).toEqual({ level: 'breaking', where: 'events', what: 'stream removed' });
});

test('the schemas of a commit are read from git, and a commit without any says so', () => {
  expect(catalogueAt(ROOT, 'HEAD')?.streams.map(({ name }) => name)).toContain('events');
});
