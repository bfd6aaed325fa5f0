// A DuckDB connection in, the functions that translated SQL calls registered on it; called by the local BigQuery for each new connection.
import { BLOB, BIGINT, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { farmFingerprint, farmFingerprintOfText } from './farm-fingerprint.ts';
import { formatTime } from './runtime/format-time.ts';
import { MACROS } from './runtime/macros.ts';
import { parseTime } from './runtime/parse-time.ts';
import { register } from './runtime/register.ts';

export async function install(connection: DuckDBConnection): Promise<void> {
  registerFunctions(connection);
  // Macros may use macros above them only once those exist, so the order of dependence is kept by creating twice-needed ones first.
  for (const macro of [...MACROS.slice(1), MACROS[0] ?? '']) await connection.run(`CREATE OR REPLACE TEMP MACRO ${macro}`);
  await connection.run("SET TimeZone = 'UTC'");
}

function registerFunctions(connection: DuckDBConnection): void {
  register(connection, 'gsql_farm_fingerprint', [VARCHAR], BIGINT, farmFingerprintOfText);
  register(connection, 'gsql_farm_fingerprint_bytes', [BLOB], BIGINT, (value: { bytes: Uint8Array }) => farmFingerprint(value.bytes));
  register(connection, 'gsql_format_time', [VARCHAR, VARCHAR, BIGINT, BIGINT], VARCHAR, formatTime);
  register(connection, 'gsql_parse_time', [VARCHAR, VARCHAR, VARCHAR], VARCHAR, parseTime);
}
