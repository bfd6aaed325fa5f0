// SQL that translated queries call by name (gsql_…), created as DuckDB macros by install on every connection.

const ZONE_MACROS = [
  `gsql_offset_minutes(zone) AS (CASE WHEN zone[1] = '-' THEN -1 ELSE 1 END) * (60 * CAST(regexp_extract(zone, '^[+-]([0-9]{1,2})', 1) AS INTEGER) + CAST(coalesce(nullif(regexp_extract(zone, '^[+-][0-9]{1,2}:?([0-9]{2})$', 1), ''), '0') AS INTEGER))`,
  `gsql_wall_clock(zone, t) AS CASE WHEN regexp_full_match(zone, '[+-][0-9]{1,2}(:?[0-9]{2})?') THEN timezone('UTC', t) + to_minutes(gsql_offset_minutes(zone)) ELSE timezone(zone, t) END`,
  `gsql_first_instant(zone, d) AS CASE WHEN timezone(zone, timezone(zone, d) - INTERVAL 1 HOUR) = d THEN timezone(zone, d) - INTERVAL 1 HOUR ELSE timezone(zone, d) END`,
  `gsql_instant(zone, d) AS CASE WHEN regexp_full_match(zone, '[+-][0-9]{1,2}(:?[0-9]{2})?') THEN timezone('UTC', d - to_minutes(gsql_offset_minutes(zone))) ELSE gsql_first_instant(zone, d) END`,
];

const INTERVAL_MACROS = [
  'gsql_interval_months(i) AS year(i) * 12 + month(i)',
  'gsql_interval_us(i) AS hour(i) * 3600000000 + minute(i) * 60000000 + microsecond(i)',
  'gsql_interval(months, days, us) AS to_months(CAST(months AS INTEGER)) + to_days(CAST(days AS INTEGER)) + to_microseconds(CAST(us AS BIGINT))',
  `gsql_clock_text(us) AS CASE WHEN us < 0 THEN '-' ELSE '' END || (abs(us) // 3600000000) || ':' || (abs(us) // 60000000 % 60) || ':' || (abs(us) // 1000000 % 60) || gsql_fraction(abs(us))`,
  `gsql_interval_text(i) AS CASE WHEN gsql_interval_months(i) < 0 THEN '-' ELSE '' END || (abs(gsql_interval_months(i)) // 12) || '-' || (abs(gsql_interval_months(i)) % 12) || ' ' || day(i) || ' ' || gsql_clock_text(gsql_interval_us(i))`,
  `gsql_unit_text(n, unit) AS CASE WHEN n = 0 THEN '' ELSE n || unit END`,
  `gsql_interval_seconds_text(us) AS CASE WHEN us % 60000000 = 0 THEN '' ELSE CASE WHEN us < 0 THEN '-' ELSE '' END || (abs(us) // 1000000 % 60) || CASE WHEN us % 1000000 = 0 THEN '' ELSE '.' || rtrim(lpad(CAST(abs(us) % 1000000 AS VARCHAR), 6, '0'), '0') END || 'S' END`,
  `gsql_interval_iso(i) AS CASE WHEN i = INTERVAL 0 DAY AND gsql_interval_months(i) = 0 AND day(i) = 0 THEN 'P0Y' ELSE 'P' || gsql_unit_text(gsql_interval_months(i) // 12, 'Y') || gsql_unit_text(gsql_interval_months(i) % 12, 'M') || gsql_unit_text(day(i), 'D') || CASE WHEN gsql_interval_us(i) = 0 THEN '' ELSE 'T' || gsql_unit_text(hour(i), 'H') || gsql_unit_text(minute(i), 'M') || gsql_interval_seconds_text(gsql_interval_us(i)) END END`,
  'gsql_justify_hours(i) AS gsql_interval(gsql_interval_months(i), (day(i) * 86400000000 + gsql_interval_us(i)) // 86400000000, (day(i) * 86400000000 + gsql_interval_us(i)) % 86400000000)',
  'gsql_justify_days(i) AS gsql_interval((gsql_interval_months(i) * 30 + day(i)) // 30, (gsql_interval_months(i) * 30 + day(i)) % 30, gsql_interval_us(i))',
];

const DATE = '[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}';
const CLOCK = '[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.][0-9]{0,6})?';
const ZONE = '( ?([Zz]|[+-][0-9]{1,2}(:?[0-9]{2})?)| [A-Za-z][A-Za-z0-9_+/-]*)?';
const read = (what: string, pattern: string): string => `CASE WHEN regexp_full_match(a, '${pattern}') THEN a WHEN a IS NOT NULL THEN RAISE('Invalid ${what}: ''' || a || '''') END`;

/** Those that stop a query with an error, RAISE; each has a twin gsql_safe_… for SAFE, which gives NULL instead. */
const RAISING: Record<string, string> = {
  'divide(a, b)': `CASE WHEN b = 0 THEN RAISE('division by zero: ' || gsql_float_text(a) || ' / ' || gsql_float_text(b)) ELSE a / b END`,
  'date(d)': `CASE WHEN d BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN d WHEN d IS NOT NULL THEN RAISE('Date is out of the range from 0001-01-01 to 9999-12-31: ' || d) END`,
  'finite(r, is_finite, what)': `CASE WHEN is_finite AND (isinf(r) OR isnan(r)) THEN RAISE('Floating point error in function: ' || what) ELSE r END`,
  // DuckDB reads more texts as dates and times than BigQuery does.
  'date_in(a)': read('date', DATE), 'time_in(a)': read('time string', CLOCK), 'datetime_in(a)': read('datetime string', `${DATE}([ Tt]${CLOCK})?`),
  'timestamp_in(a)': read('timestamp', `${DATE}([ Tt]${CLOCK})?${ZONE}`),
  // A function of ours marks what is an error by the character 1, see runtime/register.ts.
  'checked(a)': `CASE WHEN a[1] = chr(1) THEN RAISE(substr(a, 2)) ELSE a END`,
};

const raising = Object.entries(RAISING).flatMap(([head, body]) => [`gsql_${head} AS ${body.replaceAll('RAISE(', 'error(')}`, `gsql_safe_${head} AS ${body.replace(/RAISE\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g, 'NULL')}`]);

/** SQL that raises, as it must stand inside SAFE. */
export const safely = (sql: string): string => sql.replace(/\bgsql_(divide|date|finite|date_in|time_in|datetime_in|timestamp_in|checked)\(/g, 'gsql_safe_$1(');

export const MACROS = [
  // Minus zero is written without its sign.
  `gsql_unsigned_zero(a) AS CASE WHEN a = 0 THEN 0.0::DOUBLE ELSE a END`,
  // 15 digits where they give the number back, else 17, as GoogleSQL does.
  `gsql_float_text(a) AS CASE WHEN a = trunc(a) AND abs(a) < 1e15 THEN CAST(CAST(a AS BIGINT) AS VARCHAR) WHEN isnan(a) OR isinf(a) THEN CAST(a AS VARCHAR) WHEN CAST(printf('%.15g', a) AS DOUBLE) = a THEN printf('%.15g', a) ELSE printf('%.17g', a) END`,
  `gsql_numeric_text(a) AS CASE WHEN contains(CAST(a AS VARCHAR), '.') THEN rtrim(rtrim(CAST(a AS VARCHAR), '0'), '.') ELSE CAST(a AS VARCHAR) END`,
  // 0, 3 or 6 digits, whichever is enough.
  `gsql_fraction(us) AS CASE WHEN us % 1000000 = 0 THEN '' WHEN us % 1000 = 0 THEN '.' || lpad(CAST(((us % 1000000) + 1000000) % 1000000 // 1000 AS VARCHAR), 3, '0') ELSE '.' || lpad(CAST(((us % 1000000) + 1000000) % 1000000 AS VARCHAR), 6, '0') END`,
  `gsql_offset(us, separator) AS CASE WHEN us < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(us) // 3600000000 AS VARCHAR), 2, '0') || separator || lpad(CAST(abs(us) // 60000000 % 60 AS VARCHAR), 2, '0')`,
  `gsql_timestamp_text(t, wall) AS strftime(wall, '%Y-%m-%d %H:%M:%S') || gsql_fraction(epoch_us(t)) || regexp_replace(gsql_offset(epoch_us(wall) - epoch_us(t), ':'), ':00$', '')`,
  `gsql_has_zone(a) AS regexp_matches(a, '([Zz]|[0-9.][+-][0-9]{1,2}(:?[0-9]{2})?| [+-][0-9:]+| [A-Za-z][A-Za-z0-9_+/-]*)$') AND NOT regexp_full_match(a, '[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}')`,
  ...ZONE_MACROS, ...INTERVAL_MACROS, ...raising,
  // The exact product is what counts: 0.15 is a little less than 0.15, so that it rounds to 0.1 although 0.15 * 10 gives 1.5.
  `gsql_is_inexact(x, y, n) AS x * pow(2, n + 1) <> trunc(x * pow(2, n + 1)) AND abs(y) < 4503599627370496`,
  `gsql_round(x, n) AS CASE WHEN n <= 0 THEN round(x / pow(10, -n)) * pow(10, -n) WHEN abs(x) >= 4503599627370496 OR isnan(x) THEN x WHEN abs(x * pow(10, n) - trunc(x * pow(10, n))) = 0.5 AND gsql_is_inexact(x, x * pow(10, n), n) THEN CAST(printf('%.' || n || 'f', x) AS DOUBLE) ELSE round(x * pow(10, n)) / pow(10, n) END`,
  `gsql_trunc(x, n) AS CASE WHEN n <= 0 THEN trunc(x / pow(10, -n)) * pow(10, -n) WHEN abs(x) >= 4503599627370496 OR isnan(x) THEN x WHEN x * pow(10, n) = trunc(x * pow(10, n)) AND gsql_is_inexact(x, x * pow(10, n), n) THEN CAST(regexp_extract(printf('%.40f', x), '^-?[0-9]+[.][0-9]{' || n || '}') AS DOUBLE) ELSE trunc(x * pow(10, n)) / pow(10, n) END`,
  `gsql_numeric(x) AS CAST(CAST(CAST(trunc(x) AS HUGEINT) AS DECIMAL(38, 9)) + CAST(x - trunc(x) AS DECIMAL(38, 9)) AS DECIMAL(38, 9))`,
  `gsql_shift_right(a, n) AS CASE WHEN n >= 64 THEN 0 WHEN n = 0 OR a >= 0 THEN a >> n ELSE (a >> n) & CAST((1::HUGEINT << CAST(64 - n AS INTEGER)) - 1 AS BIGINT) END`,
  `gsql_groups(pattern) AS len(regexp_extract_all(regexp_replace(regexp_replace(pattern, '\\\\.', '', 'g'), '\\[\\^?\\]?[^\\]]*\\]', '', 'g'), '\\((?:[^?]|[?]P?<)|\\($'))`,
  `gsql_json_timestamp(t) AS coalesce(strftime(timezone('UTC', t), '"%Y-%m-%dT%H:%M:%S') || gsql_fraction(epoch_us(t)) || 'Z"', 'null')`,
  `gsql_json_integer(a) AS CASE WHEN a IS NULL THEN 'null' WHEN a BETWEEN -9007199254740992 AND 9007199254740992 THEN CAST(a AS VARCHAR) ELSE '"' || CAST(a AS VARCHAR) || '"' END`,
  // A fraction goes as text, because a reader's double might not hold it.
  `gsql_json_numeric(a) AS CASE WHEN a IS NULL THEN 'null' WHEN a = trunc(a) AND a BETWEEN -9007199254740992 AND 9007199254740992 THEN gsql_numeric_text(a) ELSE '"' || gsql_numeric_text(a) || '"' END`,
  // With its point; how it is spelled in JSON is gsql_json_normal's to say.
  `gsql_json_double(a) AS CASE WHEN a IS NULL OR isnan(a) OR isinf(a) THEN gsql_json_float(a) ELSE CAST(a + 0.0 AS VARCHAR) END`,
  `gsql_json_float(a) AS CASE WHEN a IS NULL THEN 'null' WHEN isnan(a) THEN '"NaN"' WHEN isinf(a) THEN CASE WHEN a > 0 THEN '"Infinity"' ELSE '"-Infinity"' END ELSE gsql_float_text(a) END`,
  `gsql_json(a) AS CASE WHEN json_valid(a) THEN CAST(a AS JSON) END`,
  `gsql_integer_text(a) AS CASE WHEN regexp_full_match(trim(a), '[+-]?([0-9]+|0[xX][0-9a-fA-F]+)') OR a IS NULL THEN trim(a) ELSE 'Bad int64 value: ' || a END`,
];
