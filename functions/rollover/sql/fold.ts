// The daily table as one query: in goes a day and its source tables, out comes the SELECT whose result replaces events_D.
// Called by run-day.ts. It reads each source once, and names every column, so that a table's own column order does not matter.
import type { StreamColumns } from '../columns.ts';
import { copiesOf } from './audit.ts';
import { column, dateLiteral, list, path } from './text.ts';
import type { DatasetPath } from './text.ts';
import { DIRECT, isActive, purchaseCurrency, purchaseValue, trafficSource } from './user-facts.ts';

export function foldSql(at: DatasetPath, columns: StreamColumns, date: string, tables: readonly string[]): string {
  return columns.hasUsers ? foldWithUsersSql(at, columns, date, tables) : foldPlainSql(at, columns, date, tables);
}

/**
 * One copy of each event: the earliest received; among those the one that was not late and came by the smallest message id, so that
 * a replay (whose rows are late, or name the file they came from) leaves the first copy where it is; then the smallest hash of what the
 * writer wrote, which makes the choice total and independent of order. Computed columns are no part of it: they change with every run.
 */
function rankedSql(at: DatasetPath, columns: StreamColumns, date: string, tables: readonly string[]): string {
  const written = columns.written.map(column);
  return `copies AS (
  ${copiesOf(at, date, tables, () => written).join('\n  UNION ALL\n  ')}
),
ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY ${column(columns.id)}
      ORDER BY received_timestamp, ingest.is_late, ingest.message_id, TO_HEX(MD5(TO_JSON_STRING(STRUCT(${written.join(', ')}))))
    ) AS copy_rank
  FROM copies
)`;
}

function foldPlainSql(at: DatasetPath, columns: StreamColumns, date: string, tables: readonly string[]): string {
  const written = new Set(columns.written);
  const output = columns.all.map((field) => (written.has(field.name) ? column(field.name) : `${nullOf(field.type)} AS ${column(field.name)}`));
  return `WITH ${rankedSql(at, columns, date, tables)}
SELECT
  ${list(output)}
FROM ranked
WHERE copy_rank = 1`;
}

const nullOf = (type: string): string => {
  if (['RECORD', 'STRUCT'].includes(type)) throw new Error('A computed record needs a stream with users');
  return `CAST(NULL AS ${{ INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' }[type] ?? type})`;
};

/** Events of nobody share no key, or a million of them would be one window. */
const USER_KEY = `IFNULL(user_pseudo_id, CONCAT('nobody ', event_id))`;

function foldWithUsersSql(at: DatasetPath, columns: StreamColumns, date: string, tables: readonly string[]): string {
  const wholeDay = 'PARTITION BY user_key ORDER BY event_timestamp, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING';
  const computed: Record<string, string> = {
    event_previous_timestamp: ofUser('COALESCE(d.previous_today, n.event_timestamp)'),
    user_first_touch_timestamp: ofUser('LEAST(d.first_today, IFNULL(d.known_first, d.first_today))'),
    user_ltv: ofUser(`STRUCT(
    CAST(IFNULL(r.revenue, 0) + IFNULL(d.revenue_today, 0) AS FLOAT64) AS revenue,
    NULLIF(d.ltv_currency, '') AS currency)`),
    // The source of the first day: of an earlier day if there was one, which may be known to be direct.
    traffic_source: ofUser(`IF(d.known_first IS NULL, IFNULL(d.source_today, ${DIRECT}), IFNULL(d.known_source, ${DIRECT}))`),
    is_active_user: ofUser('d.active_today = 1'),
  };
  const output = columns.all.map(({ name }) => `${computed[name] ?? `d.${column(name)}`} AS ${column(name)}`);
  return `WITH ${rankedSql(at, columns, date, tables)},
facts AS (
  SELECT
    *,
    ${USER_KEY} AS user_key,
    ${purchaseValue} AS purchase_value,
    ${purchaseCurrency} AS purchase_currency,
    IF(${isActive}, 1, 0) AS active_now,
    ${trafficSource} AS source_now
  FROM ranked
  WHERE copy_rank = 1
),
days AS (
  SELECT
    *,
    MIN(event_timestamp) OVER (PARTITION BY user_key) AS first_today,
    MAX(active_now) OVER (PARTITION BY user_key) AS active_today,
    FIRST_VALUE(source_now IGNORE NULLS) OVER (${wholeDay}) AS source_today,
    LAST_VALUE(purchase_currency IGNORE NULLS) OVER (${wholeDay}) AS currency_today,
    LAG(event_timestamp) OVER (PARTITION BY user_key, event_name ORDER BY event_timestamp, event_id) AS previous_today
  FROM facts
),
${historySql(at, date)},
valued AS (
  SELECT
    days.*,
    users.first_touch_timestamp AS known_first,
    users.first_source AS known_source,
    COALESCE(days.currency_today, users.last_currency) AS ltv_currency,
    SUM(IF(days.purchase_currency = COALESCE(days.currency_today, users.last_currency), days.purchase_value, NULL)) OVER (PARTITION BY days.user_key) AS revenue_today
  FROM days
  LEFT JOIN users ON users.user_pseudo_id = days.user_pseudo_id
)
SELECT
  ${list(output)}
FROM valued AS d
LEFT JOIN revenues AS r ON r.user_pseudo_id = d.user_pseudo_id AND r.currency = d.ltv_currency
LEFT JOIN names AS n ON n.user_pseudo_id = d.user_pseudo_id AND n.event_name = d.event_name`;
}

const ofUser = (value: string): string => `IF(d.user_pseudo_id IS NULL, NULL, ${value})`;

/** What is known of users from days before this one. Three groupings of user_days, each over columns of its own. */
function historySql(at: DatasetPath, date: string): string {
  const before = `FROM ${path(at, 'user_days')}`;
  const isBefore = `event_date < ${dateLiteral(date)}`;
  return `users AS (
  SELECT
    user_pseudo_id,
    MIN(first_touch_timestamp) AS first_touch_timestamp,
    ARRAY_AGG(STRUCT(first_source) ORDER BY event_date LIMIT 1)[OFFSET(0)].first_source AS first_source,
    ARRAY_AGG(last_currency IGNORE NULLS ORDER BY event_date DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_currency
  ${before}
  WHERE ${isBefore}
  GROUP BY user_pseudo_id
),
revenues AS (
  SELECT user_pseudo_id, v.currency AS currency, SUM(v.value) AS revenue
  ${before}, UNNEST(revenue) AS v
  WHERE ${isBefore}
  GROUP BY 1, 2
),
names AS (
  SELECT user_pseudo_id, e.event_name AS event_name, MAX(e.event_timestamp) AS event_timestamp
  ${before}, UNNEST(last_events) AS e
  WHERE ${isBefore}
  GROUP BY 1, 2
)`;
}
