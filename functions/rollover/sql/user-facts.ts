// What one event says of its user (a purchase, being active, where it came from): pieces of SQL over the columns of an events row,
// used by the fold and by user_days, so that both mean the same. docs/decisions/2026-11-23-rollover.md says why each rule is as it is.

/** One parameter of the event. */
const param = (key: string, value: string): string => `(SELECT ${value} FROM UNNEST(event_params) AS p WHERE p.key = '${key}' LIMIT 1)`;
const numberOf = `COALESCE(p.value.double_value, p.value.float_value, CAST(p.value.int_value AS FLOAT64))`;

const isPurchase = `event_name IN ('purchase', 'in_app_purchase', 'ecommerce_purchase')`;

/**
 * Revenue is summed as NUMERIC: sums of FLOAT64 depend on the order of rows, and a day must come out the same every time.
 * A client's absurd number must not overflow the sum and stop the day, so anything beyond ±1e12 counts as nothing.
 */
const AMOUNT_MAX = '1e12';
const amount = `COALESCE(ecommerce.purchase_revenue, ${param('value', numberOf)})`;
export const purchaseValue = `IF(${isPurchase} AND ABS(${amount}) <= ${AMOUNT_MAX}, SAFE_CAST(${amount} AS NUMERIC), CAST(NULL AS NUMERIC))`;
/** '' where the purchase names none. NULL for everything that is no purchase with an amount. */
export const purchaseCurrency = `IF(${isPurchase} AND ABS(${amount}) <= ${AMOUNT_MAX}, IFNULL(UPPER(${param('currency', 'p.value.string_value')}), ''), CAST(NULL AS STRING))`;

export const sessionId = param('ga_session_id', 'p.value.int_value');
/** At most a day of it: what an event claims beyond that is not time spent on that day, and would overflow the sum. */
export const engagementMsec = `LEAST(GREATEST(IFNULL(${param('engagement_time_msec', 'COALESCE(p.value.int_value, SAFE_CAST(p.value.string_value AS INT64))')}, 0), 0), 86400000)`;

/** GA4's active user: engaged with the app or site, or used it for the first time. A session alone is not enough. */
export const isActive = `(event_name IN ('user_engagement', 'first_open', 'first_visit')
      OR ${engagementMsec} > 0
      OR IFNULL(${param('session_engaged', 'COALESCE(p.value.string_value, CAST(p.value.int_value AS STRING))')}, '0') = '1')`;

const source = `COALESCE(collected_traffic_source.manual_source, IF(collected_traffic_source.gclid IS NOT NULL, 'google', NULL), ${param('source', 'p.value.string_value')})`;
const medium = `COALESCE(collected_traffic_source.manual_medium, IF(collected_traffic_source.gclid IS NOT NULL, 'cpc', NULL), ${param('medium', 'p.value.string_value')})`;
const campaign = `COALESCE(collected_traffic_source.manual_campaign_name, ${param('campaign', 'p.value.string_value')})`;
/** Where the event says its user came from; NULL when it does not. */
export const trafficSource = `IF(${source} IS NULL, NULL, STRUCT(${campaign} AS name, ${medium} AS medium, ${source} AS source))`;

/** GA4's words for a user whose first day names no source. */
export const DIRECT = `STRUCT('(direct)' AS name, '(none)' AS medium, '(direct)' AS source)`;
