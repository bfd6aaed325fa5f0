// Functions over STRING and BYTES, and URLs: calls in, DuckDB SQL out. Looked up by the call compiler.
import { arrayOf, BOOL, BYTES, INT64, STRING, text } from '../sql-type.ts';
import { once } from '../bind-once.ts';
import { notSupported } from '../google-sql-error.ts';
import { coerce, noSignature } from '../coerce.ts';
import { toStringSql } from './cast.ts';
import { formatCall } from './format.ts';
import { argumentExpr, argumentsOf, sameAsFirst, simple } from './signature.ts';
import type { FunctionCall, FunctionTable, Handler } from './signature.ts';
import type { Typed } from '../scope.ts';

/** White space of Unicode, which TRIM takes off when it is told no characters. */
const WHITE_SPACE = text('\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000');
const side = (duckName: string): Handler => simple('STRING STRING?', STRING, (a, characters) => `${duckName}(${a}, ${characters ?? WHITE_SPACE})`);
const length: Handler = (call) => {
  const [value] = argumentsOf(call, 'TEXT');
  return { sql: value?.type.kind === 'BYTES' ? `octet_length(${value.sql})` : `length(${value?.sql})`, type: INT64 };
};
const byteLength: Handler = (call) => {
  const [value] = argumentsOf(call, 'TEXT');
  return { sql: value?.type.kind === 'BYTES' ? `octet_length(${value.sql})` : `strlen(${value?.sql})`, type: INT64 };
};

/** DuckDB's own function where the text is ASCII, which most are; else one that knows Unicode as BigQuery does. */
const ascii = (native: string, exact: string): Handler => simple('STRING', STRING, (value = '') => once([value], (a) => `CASE WHEN strlen(${a}) = length(${a}) THEN ${native}(${a}) ELSE ${exact}(${a}) END`));

/** A count below zero is an error in BigQuery. */
function counted(call: FunctionCall, count: Typed, what: string, sql: string): string {
  if (typeof count.literal === 'string' && Number(count.literal) >= 0) return sql;
  return `CASE WHEN ${count.sql} < 0 THEN ${call.compilation.raise(text(`${what} cannot be negative`))} ELSE ${sql} END`;
}

const padded = (duckName: string): Handler => (call) => {
  const [value, size, pad] = argumentsOf(call, 'STRING INT64 STRING?') as [Typed, Typed, Typed | undefined];
  return { sql: counted(call, size, `Second argument (output size) for ${call.name}`, `${duckName}(${value.sql}, CAST(${size.sql} AS INTEGER), ${pad?.sql ?? "' '"})`), type: STRING };
};
const ended = (duckName: string): Handler => (call) => {
  const [value, size] = argumentsOf(call, 'STRING INT64') as [Typed, Typed];
  return { sql: counted(call, size, `Second argument in ${call.name}()`, `${duckName}(${value.sql}, ${size.sql})`), type: STRING };
};

const INITCAP_DELIMITERS = text(' \t\n\v\f\r[](){}/|<>!?@"^#$&~_,.:;*%+-');
const NORMALIZATION_MODES = new Set(['NFC', 'NFD', 'NFKC', 'NFKD']);

const normalizing = (duckName: string): Handler => (call) => {
  const mode = call.expr.args[1];
  const name = mode === undefined ? 'NFC' : mode.kind === 'name' ? mode.parts[0]?.text.toUpperCase() ?? '' : '';
  if (!NORMALIZATION_MODES.has(name)) throw noSignature(`function ${call.name}`, [], call.expr.place);
  const value = coerce(call.compile(argumentExpr(call, 0)), STRING);
  if (!value) throw noSignature(`function ${call.name}`, [], call.expr.place);
  return { sql: `${duckName}(${value.sql}, '${name}')`, type: STRING };
};

export const STRING_FUNCTIONS: FunctionTable = {
  CONCAT: (call) => {
    const values = argumentsOf(call, 'ANY ANY*');
    if (values.some(({ type }) => ['ARRAY', 'STRUCT', 'JSON'].includes(type.kind))) throw noSignature('function CONCAT', values, call.expr.place);
    if (values.every(({ type }) => type.kind === 'BYTES')) return { sql: `(${values.map(({ sql }) => sql).join(' || ')})`, type: sameAsFirst(values) };
    // Numbers and dates become text by themselves here, as GA4 queries rely on: CONCAT(user_pseudo_id, session_id).
    return { sql: `(${values.map((value) => (value.type.kind === 'NULL' ? 'CAST(NULL AS VARCHAR)' : toStringSql(value))).join(' || ')})`, type: STRING };
  },
  LENGTH: length, CHAR_LENGTH: length, CHARACTER_LENGTH: length, BYTE_LENGTH: byteLength, OCTET_LENGTH: byteLength,
  UPPER: ascii('upper', 'gsql_upper'), LOWER: ascii('lower', 'gsql_lower'),
  INITCAP: simple('STRING STRING?', STRING, (a, delimiters) => `gsql_initcap(${a}, ${delimiters ?? INITCAP_DELIMITERS})`),
  TRIM: side('trim'), LTRIM: side('ltrim'), RTRIM: side('rtrim'),
  STARTS_WITH: simple('STRING STRING', BOOL, (a, b) => `starts_with(${a}, ${b})`),
  ENDS_WITH: simple('STRING STRING', BOOL, (a, b) => `ends_with(${a}, ${b})`),
  CONTAINS_SUBSTR: (call) => {
    const [value, search] = argumentsOf(call, 'ANY STRING') as [Typed, Typed];
    if (['ARRAY', 'STRUCT', 'JSON', 'BYTES'].includes(value.type.kind) || call.expr.namedArgs.length > 0) throw notSupported(`CONTAINS_SUBSTR over ${value.type.kind}`, call.expr.place);
    return { sql: once([toStringSql(value), search.sql], (a, b) => `CASE WHEN strlen(${a}) = length(${a}) AND strlen(${b}) = length(${b}) THEN contains(lower(${a}), lower(${b})) ELSE gsql_contains_folded(${a}, ${b}) END`), type: BOOL };
  },
  REPLACE: simple('STRING STRING STRING', STRING, (...values) => once(values, (a, from, to) => `CASE WHEN ${from} = '' THEN ${a} ELSE replace(${a}, ${from}, ${to}) END`)),
  REVERSE: ascii('reverse', 'gsql_reverse'),
  REPEAT: (call) => {
    const [value, count] = argumentsOf(call, 'STRING INT64') as [Typed, Typed];
    return { sql: counted(call, count, 'Second argument (repeat count) for REPEAT', `repeat(${value.sql}, ${count.sql})`), type: STRING };
  },
  LPAD: padded('lpad'), RPAD: padded('rpad'), LEFT: ended('left'), RIGHT: ended('right'),
  SUBSTR: substring, SUBSTRING: substring,
  STRPOS: simple('STRING STRING', INT64, (a, b) => `strpos(${a}, ${b})`),
  INSTR: (call) => {
    const [value, search, position, occurrence] = argumentsOf(call, 'STRING STRING INT64? INT64?') as [Typed, Typed, Typed | undefined, Typed | undefined];
    if (!position) return { sql: `strpos(${value.sql}, ${search.sql})`, type: INT64 };
    return { sql: `gsql_instr(${value.sql}, ${search.sql}, ${position.sql}, ${occurrence?.sql ?? '1::BIGINT'})`, type: INT64 };
  },
  SPLIT: simple('STRING STRING?', arrayOf(STRING), (a, delimiter) => `string_split(${a}, ${delimiter ?? "','"})`),
  ASCII: (call) => {
    const [value] = argumentsOf(call, 'STRING') as [Typed];
    return { sql: once([value.sql], (a) => `CASE WHEN ${a} = '' THEN 0 WHEN ascii(${a}) > 127 THEN ${call.compilation.raise("'Argument to ASCII is not a structurally valid ASCII string'")} ELSE CAST(ascii(${a}) AS BIGINT) END`), type: INT64 };
  },
  UNICODE: simple('STRING', INT64, (value = '') => once([value], (a) => `CASE WHEN ${a} = '' THEN 0 ELSE CAST(unicode(${a}) AS BIGINT) END`)),
  CHR: simple('INT64', STRING, (a) => `chr(CAST(${a} AS INTEGER))`),
  TO_CODE_POINTS: (call) => {
    const [value] = argumentsOf(call, 'TEXT') as [Typed];
    if (value.type.kind === 'BYTES') throw notSupported('TO_CODE_POINTS over BYTES', call.expr.place);
    return { sql: once([value.sql], (a) => `CASE WHEN ${a} IS NULL THEN NULL WHEN ${a} = '' THEN CAST([] AS BIGINT[]) ELSE list_transform(string_split(${a}, ''), lambda e: CAST(unicode(e) AS BIGINT)) END`), type: arrayOf(INT64) };
  },
  CODE_POINTS_TO_STRING: simple('ARRAY', STRING, (value = '') => once([value], (a) => `CASE WHEN len(list_filter(${a}, lambda e: e IS NULL)) = 0 THEN array_to_string(list_transform(${a}, lambda e: chr(CAST(e AS INTEGER))), '') END`)),
  NORMALIZE: normalizing('gsql_normalize'), NORMALIZE_AND_CASEFOLD: normalizing('gsql_normalize_and_fold'),
  TRANSLATE: simple('STRING STRING STRING', STRING, (a, from, to) => `translate(${a}, ${from}, ${to})`),
  SOUNDEX: simple('STRING', STRING, (a) => `gsql_soundex(${a})`),
  EDIT_DISTANCE: (call) => {
    const [left, right] = argumentsOf(call, 'STRING STRING') as [Typed, Typed];
    const [most] = call.expr.namedArgs.map(({ value }) => coerce(call.compile(value), INT64));
    const distance = once([left.sql, right.sql], (a, b) => `CASE WHEN strlen(${a} || ${b}) = length(${a} || ${b}) THEN CAST(levenshtein(${a}, ${b}) AS BIGINT) ELSE ${call.compilation.raise("'EDIT_DISTANCE of non-ASCII text is not supported by the local BigQuery'")} END`);
    return { sql: most ? `least(${distance}, ${most.sql})` : distance, type: INT64 };
  },
  TO_BASE32: simple('BYTES', STRING, (a) => `gsql_base32(${a})`),
  SAFE_CONVERT_BYTES_TO_STRING: simple('BYTES', STRING, (a) => `gsql_utf8(${a})`),
  CODE_POINTS_TO_BYTES: simple('ARRAY', BYTES, (a) => `from_hex(array_to_string(list_transform(${a}, lambda e: lpad(to_hex(e), 2, '0')), ''))`),
  'NET.HOST': simple('STRING', STRING, (a) => `gsql_net_host(${a})`),
  'NET.REG_DOMAIN': simple('STRING', STRING, (a) => `gsql_checked(gsql_reg_domain(${a}))`),
  'NET.PUBLIC_SUFFIX': simple('STRING', STRING, (a) => `gsql_checked(gsql_public_suffix(${a}))`),
  FORMAT: formatCall,
};

function substring(call: FunctionCall): Typed {
  const [value, from, count] = argumentsOf(call, 'STRING INT64 INT64?') as [Typed, Typed, Typed | undefined];
  // Position 0 means 1, and one before the start means the start.
  const literal = Number(from.literal);
  const isInside = Number.isInteger(literal) && literal > 0;
  const sql = once([value.sql, from.sql, count?.sql ?? ''], (a, at, size) => {
    const start = isInside ? at : `CASE WHEN ${at} = 0 THEN 1 WHEN ${at} < -length(${a}) THEN 1 ELSE ${at} END`;
    const part = `substr(${a}, ${start}${count ? `, ${size}` : ''})`;
    return count ? counted(call, { ...count, sql: size ?? '' }, `Third argument in ${call.name}()`, part) : part;
  });
  return { sql, type: STRING };
}
