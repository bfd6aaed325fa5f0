// A DuckDB connection in, the functions that translated SQL calls registered on it; called by the local BigQuery for each new connection.
import { BLOB, BIGINT, BOOLEAN, LIST, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { farmFingerprint, farmFingerprintOfText } from './farm-fingerprint.ts';
import { castRead, castWrite } from './runtime/cast-format.ts';
import { formatTime } from './runtime/format-time.ts';
import { bytesLiteral, compactJson, prettyJson, stringLiteral } from './runtime/json-layout.ts';
import { runJavaScript } from './runtime/javascript.ts';
import { jsonItems, jsonPart, jsonQuery, jsonTexts, jsonValue, lax, normalJson } from './runtime/json-path.ts';
import { MACROS } from './runtime/macros.ts';
import { parseTime } from './runtime/parse-time.ts';
import { publicSuffix, registrableDomain } from './runtime/public-suffix.ts';
import { register, registerBatch } from './runtime/register.ts';
import { roundHalfEven } from './runtime/round-half-even.ts';
import { containsFolded, initcap, instr, netHost, normalized, normalizedAndFolded, reversed, sha512, soundex, toBase32, utf8OrNull, utf8OrReplacement } from './runtime/text.ts';

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
  register(connection, 'gsql_cast_write', [VARCHAR, VARCHAR, BIGINT, BIGINT], VARCHAR, castWrite);
  register(connection, 'gsql_cast_read', [VARCHAR, VARCHAR, VARCHAR, BIGINT], VARCHAR, castRead);
  registerBatch(connection, 'gsql_js', [VARCHAR, VARCHAR], VARCHAR, runJavaScript);
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
  register(connection, 'gsql_utf8_or_null', [BLOB], VARCHAR, utf8OrNull);
  register(connection, 'gsql_reg_domain', [VARCHAR], VARCHAR, registrableDomain);
  register(connection, 'gsql_public_suffix', [VARCHAR], VARCHAR, publicSuffix);
  register(connection, 'gsql_net_host', [VARCHAR], VARCHAR, netHost);
  register(connection, 'gsql_round_half_even', [VARCHAR, BIGINT], VARCHAR, roundHalfEven);
  register(connection, 'gsql_json_pretty', [VARCHAR], VARCHAR, prettyJson);
  register(connection, 'gsql_json_compact', [VARCHAR], VARCHAR, compactJson);
  register(connection, 'gsql_string_literal', [VARCHAR], VARCHAR, stringLiteral);
  register(connection, 'gsql_bytes_literal', [BLOB], VARCHAR, bytesLiteral);
  register(connection, 'gsql_json_normal', [VARCHAR, VARCHAR], VARCHAR, normalJson);
  register(connection, 'gsql_json_value', [VARCHAR, VARCHAR], VARCHAR, jsonValue);
  register(connection, 'gsql_json_query', [VARCHAR, VARCHAR], VARCHAR, jsonQuery);
  register(connection, 'gsql_json_part', [VARCHAR, VARCHAR], VARCHAR, jsonPart);
  register(connection, 'gsql_json_items', [VARCHAR, VARCHAR], LIST(VARCHAR), jsonItems);
  register(connection, 'gsql_json_texts', [VARCHAR, VARCHAR], LIST(VARCHAR), jsonTexts);
  register(connection, 'gsql_json_lax', [VARCHAR, VARCHAR], VARCHAR, lax);
}
