// One row per user of a day, from the finished daily table: out comes the SELECT whose result replaces partition D of user_days.
// Called by run-day.ts after the fold. The rows are what later days know of the user.
import { dateLiteral, list, path } from './text.ts';
import type { DatasetPath } from './text.ts';
import { engagementMsec, isActive, purchaseCurrency, purchaseValue, sessionId, trafficSource } from './user-facts.ts';

export function userDaysSql(at: DatasetPath, date: string, dailyTable: string): string {
  const columns = [
    `${dateLiteral(date)} AS event_date`,
    'day.user_pseudo_id AS user_pseudo_id',
    'day.user_id AS user_id',
    'day.events AS events',
    'day.sessions AS sessions',
    'day.engagement_time_msec AS engagement_time_msec',
    'day.is_active AS is_active',
    'day.first_touch_timestamp AS first_touch_timestamp',
    'day.last_touch_timestamp AS last_touch_timestamp',
    'day.first_source AS first_source',
    'day.purchases AS purchases',
    'day.last_currency AS last_currency',
    'revenues.revenue AS revenue',
    'day.last_properties.user_properties AS last_properties',
    'names.last_events AS last_events',
  ];
  return `WITH facts AS (
  SELECT
    user_pseudo_id,
    user_id,
    event_id,
    event_name,
    event_timestamp,
    IF(ARRAY_LENGTH(user_properties) > 0, STRUCT(user_properties), NULL) AS properties,
    ${sessionId} AS session_id,
    ${engagementMsec} AS engagement_now,
    IF(${isActive}, 1, 0) AS active_now,
    ${purchaseValue} AS purchase_value,
    ${purchaseCurrency} AS purchase_currency,
    ${trafficSource} AS source_now
  FROM ${path(at, dailyTable)}
  WHERE user_pseudo_id IS NOT NULL
),
day AS (
  SELECT
    user_pseudo_id,
    ARRAY_AGG(user_id IGNORE NULLS ORDER BY event_timestamp DESC, event_id DESC LIMIT 1)[SAFE_OFFSET(0)] AS user_id,
    COUNT(*) AS events,
    COUNT(DISTINCT session_id) AS sessions,
    SUM(engagement_now) AS engagement_time_msec,
    MAX(active_now) = 1 AS is_active,
    MIN(event_timestamp) AS first_touch_timestamp,
    MAX(event_timestamp) AS last_touch_timestamp,
    ARRAY_AGG(source_now IGNORE NULLS ORDER BY event_timestamp, event_id LIMIT 1)[SAFE_OFFSET(0)] AS first_source,
    COUNT(purchase_value) AS purchases,
    ARRAY_AGG(purchase_currency IGNORE NULLS ORDER BY event_timestamp DESC, event_id DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_currency,
    ARRAY_AGG(properties IGNORE NULLS ORDER BY event_timestamp DESC, event_id DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_properties
  FROM facts
  GROUP BY user_pseudo_id
),
revenues AS (
  SELECT user_pseudo_id, ARRAY_AGG(STRUCT(currency, value) ORDER BY currency) AS revenue
  FROM (
    SELECT user_pseudo_id, purchase_currency AS currency, SUM(purchase_value) AS value
    FROM facts
    WHERE purchase_currency IS NOT NULL
    GROUP BY 1, 2
  )
  GROUP BY user_pseudo_id
),
names AS (
  SELECT user_pseudo_id, ARRAY_AGG(STRUCT(event_name, event_timestamp) ORDER BY event_name) AS last_events
  FROM (
    SELECT user_pseudo_id, event_name, MAX(event_timestamp) AS event_timestamp
    FROM facts
    GROUP BY 1, 2
  )
  GROUP BY user_pseudo_id
)
SELECT
  ${list(columns)}
FROM day
LEFT JOIN revenues ON revenues.user_pseudo_id = day.user_pseudo_id
LEFT JOIN names ON names.user_pseudo_id = day.user_pseudo_id`;
}
