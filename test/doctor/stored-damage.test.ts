// The same for what is stored: bucket, dataset, tables and days.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tableDefinition } from '../../functions/maintain/table-definition.ts';
import { KEPT_TABLES } from '../../functions/rollover/tables.ts';
import { streamTables, type TableField } from '../../functions/stream-tables.ts';
import { mendAfterEach, openHospital, type Hospital } from './hospital.ts';

let hospital: Hospital;
beforeAll(async () => { hospital = await openHospital(); });
afterAll(() => hospital?.close());
const after = mendAfterEach();

describe('the dataset', () => {
  const dataset = () => hospital.run.bigquery.dataset(hospital.run.dataset);

  test('another time zone than the one it was started with', async () => {
    const [{ labels }] = await dataset().getMetadata() as unknown as [{ labels: Record<string, string> }];
    await dataset().setMetadata({ labels: { ...labels, chiplog_time_zone: 'europe--berlin' } });
    after(() => dataset().setMetadata({ labels }));
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'time_zone_differs', what: expect.stringContaining('europe--berlin') }]);
  });

  test('a dataset that does not say its time zone any more', async () => {
    const [{ labels }] = await dataset().getMetadata() as unknown as [{ labels: Record<string, string> }];
    await dataset().setMetadata({ labels: { chiplog_time_zone: null } } as never);
    after(() => dataset().setMetadata({ labels }));
    expect(await hospital.kinds()).toEqual(['time_zone_unknown']);
  });

  test.each([['tables_expire', 'defaultTableExpirationMs'], ['partitions_expire', 'defaultPartitionExpirationMs']])('%s', async (kind, field) => {
    await dataset().setMetadata({ [field]: String(90 * 86_400_000) });
    after(() => dataset().setMetadata({ [field]: null }));
    expect(await hospital.kinds()).toEqual([kind]);
  });

  test('a dataset that is missing is one finding, not fifty', async () => {
    const gone = hospital.run.bigquery.dataset('gone');
    expect(await hospital.kinds({ dataset: gone, datasetName: 'gone' })).toEqual(['dataset_missing']);
  });

  test('tables of tomorrow that are missing', async () => {
    await dataset().table('late_events_20260311').delete();
    after(() => hospital.call('maintain'));
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'table_ahead_missing', where: 'late_events_20260311', cure: expect.stringContaining(hospital.run.functions['maintain']!) }]);
  });

  test('a view under a prefix', async () => {
    await hospital.sql('CREATE VIEW events_view AS SELECT 1 AS one');
    after(() => hospital.sql('DROP VIEW events_view'));
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'view_under_prefix', where: 'events_view', cure: 'npm run query -- "DROP VIEW chiplog.events_view"' }]);
  });

  test('a table that is no day under a prefix', async () => {
    await hospital.sql('CREATE TABLE events_backup (one INT64)');
    after(() => hospital.sql('DROP TABLE events_backup'));
    expect(await hospital.kinds()).toEqual(['stray_table']);
  });

  /** The intraday table of the day after tomorrow, which nobody writes to yet, made in another way. */
  const otherwise = async (change: { fields?: (fields: TableField[]) => TableField[]; clustering?: string[] }): Promise<void> => {
    const { table, fields, clustering } = tableDefinition(streamTables().find(({ stream }) => stream === 'events')!, 'intraday', '20260312');
    await dataset().table(table).delete();
    after(async () => { await dataset().table(table).delete(); await hospital.call('maintain'); });
    const fieldsNow = change.fields?.(structuredClone([...fields])) ?? [...fields];
    await dataset().createTable(table, { schema: { fields: fieldsNow as never }, ...((change.clustering ?? clustering).length === 0 ? {} : { clustering: { fields: [...(change.clustering ?? clustering)] } }) });
  };

  test('a column of another type in one of the tables', async () => {
    await otherwise({ fields: (fields) => fields.map((field) => (field.name === 'event_bundle_sequence_id' ? { ...field, type: 'STRING' } : field)) });
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'column_type_differs', where: 'events_intraday_20260312', what: expect.stringContaining('event_bundle_sequence_id') }]);
  });

  test('a column that must not be NULL', async () => {
    await otherwise({ fields: (fields) => fields.map((field) => (field.name === 'event_name' ? { ...field, mode: 'REQUIRED' } : field)) });
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'column_type_differs', what: expect.stringContaining('event_name is REQUIRED') }]);
  });

  test('a column that one of the tables lacks', async () => {
    await otherwise({ fields: (fields) => fields.filter(({ name }) => name !== 'user_id') });
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'column_missing', what: 'It lacks user_id.', cure: 'npm run migrate' }]);
  });

  test('a table that is clustered otherwise', async () => {
    await otherwise({ clustering: [] });
    expect(await hospital.kinds()).toEqual(['clustering_differs']);
  });

  test('a table that deletes itself', async () => {
    const table = dataset().table('events_intraday_20260310');
    await table.setMetadata({ expirationTime: String(Date.parse('2026-04-10T00:00:00Z')) } as never);
    after(() => table.setMetadata({ expirationTime: null } as never));
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'table_expires', where: 'events_intraday_20260310', what: 'It is deleted on 2026-04-10.' }]);
    const [, statement] = /^npm run query -- "(.+)"$/.exec(findings[0]!.cure)!;
    await hospital.sql(statement!);
    expect(await hospital.kinds()).toEqual([]);
  });

  test('user_days or rollovers missing, or with other columns', async () => {
    const { fields } = KEPT_TABLES.find(({ name }) => name === 'user_days')!;
    await dataset().table('user_days').delete();
    after(async () => { await dataset().table('user_days').delete().catch(() => undefined); await hospital.call('maintain'); });
    expect(await hospital.kinds()).toEqual(['kept_table_missing']);
    await dataset().createTable('user_days', { schema: { fields: fields.filter(({ name }) => name !== 'sessions') as never } });
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'kept_table_differs', what: expect.stringContaining('sessions is missing'), cure: 'npm run query -- \'ALTER TABLE chiplog.user_days ADD COLUMN IF NOT EXISTS `sessions` INT64\'' }]);
    await hospital.sql('ALTER TABLE chiplog.user_days ADD COLUMN IF NOT EXISTS `sessions` INT64');
    expect(await hospital.kinds()).toEqual([]);
  });

  test('a table function that is missing, or an older version\'s', async () => {
    await dataset().routine('events').delete();
    after(() => hospital.call('maintain'));
    expect(await hospital.kinds()).toEqual(['table_function_missing']);
    await hospital.sql('CREATE TABLE FUNCTION chiplog.events(from_date STRING, to_date STRING) AS (SELECT event_name FROM `chiplog-local.chiplog.events_*` WHERE _TABLE_SUFFIX BETWEEN from_date AND to_date)');
    expect(await hospital.kinds()).toEqual(['table_function_outdated']);
  });
});

describe('the bucket', () => {
  const bucket = () => hospital.run.storage.bucket(hospital.run.bucket);
  const RULE = { action: { type: 'AbortIncompleteMultipartUpload' }, condition: { age: 1 } };

  test.each([
    ['bucket_access_not_uniform', { iamConfiguration: { uniformBucketLevelAccess: { enabled: false } } }, { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } }],
    ['bucket_may_be_public', { iamConfiguration: { publicAccessPrevention: 'inherited' } }, { iamConfiguration: { publicAccessPrevention: 'enforced' } }],
    ['bucket_without_soft_delete', { softDeletePolicy: { retentionDurationSeconds: 0 } }, { softDeletePolicy: { retentionDurationSeconds: 604_800 } }],
    ['bucket_lifecycle_missing', { lifecycle: { rule: [] } }, { lifecycle: { rule: [RULE] } }],
    ['archive_is_deleted', { lifecycle: { rule: [RULE, { action: { type: 'Delete' }, condition: { age: 90, matchesPrefix: ['raw/events/'] } }] } }, { lifecycle: { rule: [RULE] } }],
  ])('%s', async (kind, damage, mended) => {
    await bucket().setMetadata(damage as never);
    after(() => bucket().setMetadata(mended as never));
    expect(await hospital.kinds()).toEqual([kind]);
  });

  test('raw files that the catalogue says are deleted, and nothing deletes', async () => {
    const rawRetentionDays = { ...hospital.patient.rawRetentionDays, events: 90 };
    expect(await hospital.kinds({ rawRetentionDays })).toEqual(['archive_is_not_deleted']);
    await bucket().setMetadata({ lifecycle: { rule: [RULE, { action: { type: 'Delete' }, condition: { age: 90, matchesPrefix: ['raw/events/'] } }] } } as never);
    after(() => bucket().setMetadata({ lifecycle: { rule: [RULE] } } as never));
    expect(await hospital.kinds({ rawRetentionDays })).toEqual([]);
  });

  test('a bucket that is missing', async () => {
    expect(await hospital.kinds({ bucket: hospital.run.storage.bucket('nowhere-raw'), bucketName: 'nowhere-raw' })).toEqual(['bucket_missing']);
  });

  test('messages that were spilled and not drained', async () => {
    const file = bucket().file('spill/events/1');
    await file.save('kept', { resumable: false });
    after(() => file.delete());
    expect(await hospital.kinds()).toEqual([]);
    expect(await hospital.kinds({ nowMs: hospital.patient.nowMs + 3 * 3_600_000 })).toEqual(['spill_not_drained']);
  });
});

describe('days', () => {
  const events = streamTables().find(({ stream }) => stream === 'events')!;
  const dataset = () => hospital.run.bigquery.dataset(hospital.run.dataset);
  const make = async (kind: 'intraday' | 'late' | 'daily', date: string): Promise<void> => {
    const { table, fields, clustering } = tableDefinition(events, kind, date);
    await dataset().createTable(table, { schema: { fields: [...fields] as never }, clustering: { fields: [...clustering] } });
    after(() => dataset().table(table).delete());
  };
  const ledger = async (date: string, status: string, reason: string | null = null): Promise<void> => {
    await hospital.sql(`INSERT INTO chiplog.rollovers (stream, event_date, run, job_id, status, reason, started_timestamp) VALUES ('events', '${date}', 1, 'job', '${status}', ${reason === null ? 'NULL' : `'${reason}'`}, 1)`);
    after(() => hospital.sql(`DELETE FROM chiplog.rollovers WHERE event_date = '${date}'`));
  };

  test('days that are done are no finding', async () => {
    for (const date of ['20260308', '20260309']) { await make('daily', date); await ledger(date, 'done'); }
    expect(await hospital.kinds()).toEqual([]);
  });

  test('a day that is missing between others', async () => {
    for (const date of ['20260307', '20260309']) { await make('daily', date); await ledger(date, 'done'); }
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'day_missing', where: 'events_20260308', cure: 'npm run replay -- --stream events --from 2026-03-08 --to 2026-03-08' }]);
  });

  test('an intraday table that should have become a daily one', async () => {
    await make('intraday', '20260309');
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'intraday_left', where: 'events_intraday_20260309' }]);
    // Until six hours after it could be folded nothing is said: the rollover comes every quarter of an hour.
    expect(await hospital.kinds({ nowMs: Date.parse('2026-03-10T08:29:00Z') })).toEqual([]);
  });

  test('a late table that was never folded', async () => {
    await make('late', '20260220');
    expect(await hospital.kinds()).toEqual(['late_left']);
  });

  test('a day whose counts did not agree, one whose job failed, and one that nobody recorded', async () => {
    await make('daily', '20260309');
    expect(await hospital.kinds()).toEqual(['day_without_rollover']);
    await ledger('20260309', 'provisional', 'counts differ by 3');
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'day_provisional', where: 'events_20260309', what: expect.stringContaining('counts differ by 3') }]);
    await hospital.sql('UPDATE chiplog.rollovers SET status = \'failed\' WHERE event_date = \'20260309\'');
    expect(await hospital.kinds()).toEqual(['day_failed']);
  });
});
