// A DuckDB connection in, the functions that translated SQL calls registered on it; called by the local BigQuery for each new connection.
import { BLOB, BIGINT, BOOLEAN, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { farmFingerprint, farmFingerprintOfText } from './farm-fingerprint.ts';
import { formatTime } from './runtime/format-time.ts';
import { MACROS } from './runtime/macros.ts';
import { parseTime } from './runtime/parse-time.ts';
import { register } from './runtime/register.ts';
import { containsFolded, initcap, instr, netHost, normalized, normalizedAndFolded, reversed, sha512, soundex, toBase32, utf8OrReplacement } from './runtime/text.ts';

export async function install(connection: DuckDBConnection): Promise<void> {
  registerFunctions(connection);
  for (const macro of MACROS) await connection.run(`CREATE OR REPLACE TEMP MACRO ${macro}`);
  await connection.run("SET TimeZone = 'UTC'");
}

function registerFunctions(connection: DuckDBConnection): void {
  register(connection, 'gsql_farm_fingerprint', [VARCHAR], BIGINT, farmFingerprintOfText);
  register(connection, 'gsql_farm_fingerprint_bytes', [BLOB], BIGINT, (value: { bytes: Uint8Array }) => farmFingerprint(value.bytes));
  register(connection, 'gsql_format_time', [VARCHAR, VARCHAR, BIGINT, BIGINT], VARCHAR, formatTime);
  register(connection, 'gsql_parse_time', [VARCHAR, VARCHAR, VARCHAR], VARCHAR, parseTime);
  register(connection, 'gsql_upper', [VARCHAR], VARCHAR, (text: string) => text.toUpperCase());
  register(connection, 'gsql_lower', [VARCHAR], VARCHAR, (text: string) => [...text].map((char) => char.toLowerCase()).join(''));
  register(connection, 'gsql_initcap', [VARCHAR, VARCHAR], VARCHAR, initcap);
  register(connection, 'gsql_contains_folded', [VARCHAR, VARCHAR], BOOLEAN, containsFolded);
  register(connection, 'gsql_normalize', [VARCHAR, VARCHAR], VARCHAR, normalized);
  register(connection, 'gsql_normalize_and_fold', [VARCHAR, VARCHAR], VARCHAR, normalizedAndFolded);
  register(connection, 'gsql_reverse', [VARCHAR], VARCHAR, reversed);
  register(connection, 'gsql_instr', [VARCHAR, VARCHAR, BIGINT, BIGINT], BIGINT, instr);
  register(connection, 'gsql_soundex', [VARCHAR], VARCHAR, soundex);
  register(connection, 'gsql_sha512', [BLOB], VARCHAR, sha512);
  register(connection, 'gsql_base32', [BLOB], VARCHAR, toBase32);
  register(connection, 'gsql_utf8', [BLOB], VARCHAR, utf8OrReplacement);
  register(connection, 'gsql_net_host', [VARCHAR], VARCHAR, netHost);
}
