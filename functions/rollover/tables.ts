// The two tables that the rollover keeps for itself: their columns, and the call that makes them where they are absent.
// Called by function.ts at its first request and by `maintain`. Neither name begins with a stream's prefix and "_".
import type { BigQuery } from '@google-cloud/bigquery';
import type { TableField } from '../stream-tables.ts';

export const ROLLOVERS = 'rollovers';
export const USER_DAYS = 'user_days';

type KeptTable = { name: string; description: string; fields: TableField[]; partitionedBy?: string; clustering: string[] };

const field = (name: string, type: string, description: string): TableField => ({ name, type, mode: 'NULLABLE', description });
const record = (name: string, mode: 'NULLABLE' | 'REPEATED', description: string, fields: TableField[]): TableField => ({ name, type: 'RECORD', mode, description, fields });

const PROPERTY_VALUE = [
  field('string_value', 'STRING', 'Value of a text.'),
  field('int_value', 'INTEGER', 'Value of a whole number.'),
  field('float_value', 'FLOAT', 'Not used, as in GA4.'),
  field('double_value', 'FLOAT', 'Value of any other number.'),
  field('set_timestamp_micros', 'INTEGER', 'When the property was set, in microseconds since 1970 (UTC).'),
];

export const KEPT_TABLES: readonly KeptTable[] = [
  {
    name: ROLLOVERS,
    description: 'The ledger of the rollover: one row per run and date. A date is final from its first row with status "done".',
    clustering: ['stream', 'event_date'],
    fields: [
      field('stream', 'STRING', 'Stream of the catalogue.'),
      field('event_date', 'STRING', 'Day that was folded, YYYYMMDD in the reporting time zone.'),
      field('run', 'INTEGER', 'Number of the run for this stream and date, from 1; part of the job id.'),
      field('job_id', 'STRING', 'Id of the query job that wrote the daily table.'),
      field('status', 'STRING', 'done; provisional (the counts did not agree, nothing was dropped); or failed (the daily table is as it was).'),
      field('reason', 'STRING', 'Why the status is not done.'),
      field('read', 'INTEGER', 'Rows of the date in all sources, the earlier daily table included.'),
      field('kept', 'INTEGER', 'Rows of the daily table, each id once.'),
      field('duplicate', 'INTEGER', 'read minus kept.'),
      field('id_conflict', 'INTEGER', 'Ids that came with different content.'),
      field('late', 'INTEGER', 'Rows that came from late tables.'),
      field('started_timestamp', 'INTEGER', 'Start of the job, microseconds since 1970 (UTC): everything written before it was read.'),
      field('elapsed_ms', 'INTEGER', 'Milliseconds that the job ran.'),
      field('bytes_processed', 'INTEGER', 'Bytes that the job read.'),
      field('recorded_timestamp', 'INTEGER', 'When this row was written, microseconds since 1970 (UTC).'),
      field('announced_timestamp', 'INTEGER', 'When day.finalized or day.changed was published; empty until then.'),
      record('sources', 'REPEATED', 'What was read.', [
        field('table_name', 'STRING', 'Table of the dataset.'),
        field('row_count', 'INTEGER', 'Rows of the date in it.'),
      ]),
    ],
  },
  {
    name: USER_DAYS,
    description: 'One row per user and event date, made from the daily table of the stream events. Users without user_pseudo_id have none.',
    partitionedBy: 'event_date',
    clustering: ['user_pseudo_id'],
    fields: [
      field('event_date', 'DATE', 'Day in the reporting time zone.'),
      field('user_pseudo_id', 'STRING', 'The user: app instance or browser.'),
      field('user_id', 'STRING', 'Last user_id of the day.'),
      field('events', 'INTEGER', 'Events of the day.'),
      field('sessions', 'INTEGER', 'Distinct ga_session_id of the day.'),
      field('engagement_time_msec', 'INTEGER', 'Sum of engagement_time_msec, in milliseconds.'),
      field('is_active', 'BOOLEAN', 'Whether the user was active on the day: is_active_user of its events.'),
      field('first_touch_timestamp', 'INTEGER', 'First event of the day, microseconds since 1970 (UTC).'),
      field('last_touch_timestamp', 'INTEGER', 'Last event of the day, microseconds since 1970 (UTC).'),
      record('first_source', 'NULLABLE', 'First traffic source that an event of the day named; empty when none did.', [
        field('name', 'STRING', 'Campaign.'), field('medium', 'STRING', 'Medium.'), field('source', 'STRING', 'Source.'),
      ]),
      field('purchases', 'INTEGER', 'Purchases with an amount.'),
      field('last_currency', 'STRING', 'Currency of the last purchase of the day; an empty text when it named none.'),
      record('revenue', 'REPEATED', 'Revenue of the day by currency.', [
        field('currency', 'STRING', 'ISO 4217 code; an empty text when the purchase named none.'), field('value', 'NUMERIC', 'Sum in that currency.'),
      ]),
      record('last_properties', 'REPEATED', 'User properties of the last event of the day that had any.', [
        field('key', 'STRING', 'Name of the property.'), record('value', 'NULLABLE', 'Its value.', PROPERTY_VALUE),
      ]),
      record('last_events', 'REPEATED', 'Last time of each event name on the day.', [
        field('event_name', 'STRING', 'Event name.'), field('event_timestamp', 'INTEGER', 'Microseconds since 1970 (UTC).'),
      ]),
    ],
  },
];

/** Makes what is absent and leaves what is there. Safe when several call it at once. */
export async function ensureRolloverTables(bigquery: BigQuery, dataset: string): Promise<void> {
  for (const { name, description, fields, partitionedBy, clustering } of KEPT_TABLES) {
    const table = bigquery.dataset(dataset).table(name);
    const [exists] = await table.exists();
    if (exists) continue;
    try {
      await table.create({
        description,
        schema: { fields },
        clustering: { fields: clustering },
        ...(partitionedBy === undefined ? {} : { timePartitioning: { type: 'DAY', field: partitionedBy } }),
      });
    } catch (error) {
      if ((error as { code?: number }).code !== 409) throw error;
    }
  }
}
