// Hashes, encodings, ids and session facts: calls in, DuckDB SQL out. Looked up by the call compiler.
import { BYTES, INT64, STRING, text } from '../sql-type.ts';
import { argumentsOf, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';
import type { Typed } from '../scope.ts';

const hash = (duckName: string) => (call: FunctionCall): Typed => {
  const [value] = argumentsOf(call, 'TEXT');
  return { sql: `unhex(${duckName}(${value?.sql}))`, type: BYTES };
};

export const HASH_FUNCTIONS: FunctionTable = {
  FARM_FINGERPRINT: (call) => {
    const [value] = argumentsOf(call, 'TEXT');
    return { sql: value?.type.kind === 'BYTES' ? `gsql_farm_fingerprint_bytes(${value.sql})` : `gsql_farm_fingerprint(${value?.sql})`, type: INT64 };
  },
  MD5: hash('md5'), SHA1: hash('sha1'), SHA256: hash('sha256'),
  SHA512: (call) => {
    const [value] = argumentsOf(call, 'TEXT');
    return { sql: `unhex(gsql_sha512(${value?.type.kind === 'BYTES' ? value.sql : `encode(${value?.sql})`}))`, type: BYTES };
  },
  TO_HEX: simple('BYTES', STRING, (a) => `lower(hex(${a}))`),
  FROM_HEX: simple('STRING', BYTES, (a) => `unhex(${a})`),
  TO_BASE64: simple('BYTES', STRING, (a) => `to_base64(${a})`),
  FROM_BASE64: simple('STRING', BYTES, (a) => `from_base64(${a})`),
  GENERATE_UUID: simple('', STRING, () => 'CAST(uuid() AS VARCHAR)'),
  SESSION_USER: simple('', STRING, () => text('local@localhost')),
};
