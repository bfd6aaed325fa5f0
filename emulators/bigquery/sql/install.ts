// A DuckDB connection in, the functions that translated SQL calls registered on it; called by the local BigQuery for each new connection.
import { BLOB, BIGINT, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBVector } from '@duckdb/node-api';
import { farmFingerprint, farmFingerprintOfText } from './farm-fingerprint.ts';

const MACROS = [
  `gsql_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero: ' || gsql_float_text(a) || ' / ' || gsql_float_text(b)) ELSE a / b END`,
  // BigQuery writes 1.0 as 1 and keeps the rest as DuckDB does.
  `gsql_float_text(a) AS CASE WHEN a IS NULL THEN NULL WHEN ends_with(CAST(a AS VARCHAR), '.0') THEN CAST(CAST(a AS DECIMAL(38, 0)) AS VARCHAR) ELSE CAST(a AS VARCHAR) END`,
  `gsql_numeric_text(a) AS CASE WHEN contains(CAST(a AS VARCHAR), '.') THEN rtrim(rtrim(CAST(a AS VARCHAR), '0'), '.') ELSE CAST(a AS VARCHAR) END`,
  // 0, 3 or 6 digits, whichever is enough.
  `gsql_fraction(us) AS CASE WHEN us % 1000000 = 0 THEN '' WHEN us % 1000 = 0 THEN '.' || lpad(CAST(((us % 1000000) + 1000000) % 1000000 // 1000 AS VARCHAR), 3, '0') ELSE '.' || lpad(CAST(((us % 1000000) + 1000000) % 1000000 AS VARCHAR), 6, '0') END`,
  `gsql_offset(us, separator) AS CASE WHEN us < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(us) // 3600000000 AS VARCHAR), 2, '0') || separator || lpad(CAST(abs(us) // 60000000 % 60 AS VARCHAR), 2, '0')`,
  `gsql_timestamp_text(t, zone) AS strftime(timezone(zone, t), '%Y-%m-%d %H:%M:%S') || gsql_fraction(epoch_us(t)) || regexp_replace(gsql_offset(epoch_us(timezone(zone, t)) - epoch_us(t), ':'), ':00$', '')`,
  `gsql_json_timestamp(t) AS coalesce(strftime(timezone('UTC', t), '"%Y-%m-%dT%H:%M:%S') || gsql_fraction(epoch_us(t)) || 'Z"', 'null')`,
  `gsql_json_integer(a) AS CASE WHEN a IS NULL THEN 'null' WHEN a BETWEEN -9007199254740992 AND 9007199254740992 THEN CAST(a AS VARCHAR) ELSE '"' || CAST(a AS VARCHAR) || '"' END`,
  `gsql_json_float(a) AS CASE WHEN a IS NULL THEN 'null' WHEN isnan(a) THEN '"NaN"' WHEN isinf(a) THEN CASE WHEN a > 0 THEN '"Infinity"' ELSE '"-Infinity"' END ELSE gsql_float_text(a) END`,
  `gsql_json(a) AS CASE WHEN json_valid(a) THEN CAST(a AS JSON) END`,
  `gsql_integer_text(a) AS CASE WHEN regexp_full_match(trim(a), '[+-]?([0-9]+|0[xX][0-9a-fA-F]+)') OR a IS NULL THEN trim(a) ELSE 'Bad int64 value: ' || a END`,
  `gsql_net_host(a) AS nullif(regexp_extract(a, '^\\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@]*@)?(\\[[^\\]]*\\]|[^/?#:]*)', 1), '')`,
];

export async function install(connection: DuckDBConnection): Promise<void> {
  registerFingerprints(connection);
  // Macros may use macros above them only once those exist, so the order of dependence is kept by creating twice-needed ones first.
  for (const macro of [...MACROS.slice(1), MACROS[0] ?? '']) await connection.run(`CREATE OR REPLACE TEMP MACRO ${macro}`);
  await connection.run("SET TimeZone = 'UTC'");
}

function registerFingerprints(connection: DuckDBConnection): void {
  connection.registerScalarFunction(DuckDBScalarFunction.create({
    name: 'gsql_farm_fingerprint', parameterTypes: [VARCHAR], returnType: BIGINT,
    mainFunction: (_info, input, output) => fingerprintColumn(input, output, (value) => farmFingerprintOfText(value as string)),
  }));
  connection.registerScalarFunction(DuckDBScalarFunction.create({
    name: 'gsql_farm_fingerprint_bytes', parameterTypes: [BLOB], returnType: BIGINT,
    mainFunction: (_info, input, output) => fingerprintColumn(input, output, (value) => farmFingerprint((value as { bytes: Uint8Array }).bytes)),
  }));
}

function fingerprintColumn(input: DuckDBDataChunk, output: DuckDBVector, fingerprint: (value: unknown) => bigint): void {
  const column = input.getColumnVector(0);
  for (let row = 0; row < input.rowCount; row += 1) {
    const value = column.getItem(row);
    output.setItem(row, value === null ? null : fingerprint(value));
  }
  output.flush();
}
