// Functions over STRING and BYTES, regular expressions and URLs: calls in, DuckDB SQL out. Looked up by the call compiler.
import { arrayOf, BOOL, INT64, STRING } from '../sql-type.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { noSignature } from '../coerce.ts';
import { toStringSql } from './cast.ts';
import { formatCall } from './format.ts';
import { argumentExpr, argumentsOf, sameAsFirst, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';
import type { Typed } from '../scope.ts';

const side = (duckName: string) => simple('STRING STRING?', STRING, (a, characters) => (characters === undefined ? `${duckName}(${a}, chr(32) || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))` : `${duckName}(${a}, ${characters})`));
const length = (call: FunctionCall): Typed => {
  const [value] = argumentsOf(call, 'TEXT');
  return { sql: value?.type.kind === 'BYTES' ? `octet_length(${value.sql})` : `length(${value?.sql})`, type: INT64 };
};

export const STRING_FUNCTIONS: FunctionTable = {
  CONCAT: (call) => {
    const values = argumentsOf(call, 'ANY ANY*');
    if (values.some(({ type }) => ['ARRAY', 'STRUCT', 'JSON'].includes(type.kind))) throw noSignature('function CONCAT', values, call.expr.place);
    if (values.every(({ type }) => type.kind === 'BYTES')) return { sql: `(${values.map(({ sql }) => sql).join(' || ')})`, type: sameAsFirst(values) };
    // Numbers and dates become text by themselves here, as GA4 queries rely on: CONCAT(user_pseudo_id, session_id).
    return { sql: `(${values.map((value) => (value.type.kind === 'NULL' ? 'CAST(NULL AS VARCHAR)' : toStringSql(value))).join(' || ')})`, type: STRING };
  },
  LENGTH: length, CHAR_LENGTH: length, CHARACTER_LENGTH: length,
  BYTE_LENGTH: (call) => {
    const [value] = argumentsOf(call, 'TEXT');
    return { sql: value?.type.kind === 'BYTES' ? `octet_length(${value.sql})` : `strlen(${value?.sql})`, type: INT64 };
  },
  UPPER: simple('STRING', STRING, (a) => `upper(${a})`), LOWER: simple('STRING', STRING, (a) => `lower(${a})`),
  INITCAP: simple('STRING STRING?', STRING, (a, delimiters) => {
    if (delimiters !== undefined) return `error('INITCAP with delimiters is not supported by the local BigQuery')`;
    return `array_to_string(list_transform(regexp_extract_all(lower(${a}), '[\\pL\\pN]+|[^\\pL\\pN]+'), lambda e: upper(left(e, 1)) || substr(e, 2)), '')`;
  }),
  TRIM: side('trim'), LTRIM: side('ltrim'), RTRIM: side('rtrim'),
  STARTS_WITH: simple('STRING STRING', BOOL, (a, b) => `starts_with(${a}, ${b})`),
  ENDS_WITH: simple('STRING STRING', BOOL, (a, b) => `ends_with(${a}, ${b})`),
  CONTAINS_SUBSTR: (call) => {
    const [value, search] = argumentsOf(call, 'ANY STRING') as [Typed, Typed];
    if (['ARRAY', 'STRUCT', 'JSON', 'BYTES'].includes(value.type.kind)) throw notSupported(`CONTAINS_SUBSTR over ${value.type.kind}`, call.expr.place);
    return { sql: `contains(lower(nfc_normalize(${toStringSql(value)})), lower(nfc_normalize(${search.sql})))`, type: BOOL };
  },
  REPLACE: simple('STRING STRING STRING', STRING, (a, from, to) => `CASE WHEN ${from} = '' THEN ${a} ELSE replace(${a}, ${from}, ${to}) END`),
  REVERSE: simple('STRING', STRING, (a) => `reverse(${a})`),
  REPEAT: simple('STRING INT64', STRING, (a, n) => `repeat(${a}, ${n})`),
  LPAD: simple('STRING INT64 STRING?', STRING, (a, n, pad) => `lpad(${a}, CAST(${n} AS INTEGER), ${pad ?? "' '"})`),
  RPAD: simple('STRING INT64 STRING?', STRING, (a, n, pad) => `rpad(${a}, CAST(${n} AS INTEGER), ${pad ?? "' '"})`),
  LEFT: simple('STRING INT64', STRING, (a, n) => `left(${a}, ${n})`), RIGHT: simple('STRING INT64', STRING, (a, n) => `right(${a}, ${n})`),
  SUBSTR: substring, SUBSTRING: substring,
  STRPOS: simple('STRING STRING', INT64, (a, b) => `strpos(${a}, ${b})`),
  INSTR: simple('STRING STRING', INT64, (a, b) => `strpos(${a}, ${b})`),
  SPLIT: simple('STRING STRING?', arrayOf(STRING), (a, delimiter) => `string_split(${a}, ${delimiter ?? "','"})`),
  ASCII: simple('STRING', INT64, (a) => `CAST(ascii(${a}) AS BIGINT)`), UNICODE: simple('STRING', INT64, (a) => `CAST(unicode(${a}) AS BIGINT)`),
  CHR: simple('INT64', STRING, (a) => `chr(CAST(${a} AS INTEGER))`),
  NORMALIZE: simple('STRING', STRING, (a) => `nfc_normalize(${a})`),
  TRANSLATE: simple('STRING STRING STRING', STRING, (a, from, to) => `translate(${a}, ${from}, ${to})`),
  EDIT_DISTANCE: simple('STRING STRING', INT64, (a, b) => `CAST(levenshtein(${a}, ${b}) AS BIGINT)`),
  REGEXP_CONTAINS: simple('STRING STRING', BOOL, (a, pattern) => `regexp_matches(${a}, ${pattern})`),
  REGEXP_EXTRACT: regexpExtract, REGEXP_SUBSTR: regexpExtract,
  REGEXP_EXTRACT_ALL: (call) => {
    const [value, pattern] = argumentsOf(call, 'STRING STRING');
    return { sql: `regexp_extract_all(${value?.sql}, ${pattern?.sql}, ${groupOf(call)})`, type: arrayOf(STRING) };
  },
  REGEXP_REPLACE: simple('STRING STRING STRING', STRING, (a, pattern, to) => `regexp_replace(${a}, ${pattern}, ${to}, 'g')`),
  'NET.HOST': simple('STRING', STRING, (a) => `gsql_net_host(${a})`),
  'NET.REG_DOMAIN': (call) => { throw notSupported('NET.REG_DOMAIN (it needs the public suffix list)', call.expr.place); },
  'NET.PUBLIC_SUFFIX': (call) => { throw notSupported('NET.PUBLIC_SUFFIX (it needs the public suffix list)', call.expr.place); },
  FORMAT: formatCall,
};

function substring(call: FunctionCall): Typed {
  const [value, from, count] = argumentsOf(call, 'STRING INT64 INT64?');
  // Position 0 means 1, and one before the start means the start.
  const literal = Number(from?.literal);
  const start = Number.isInteger(literal) && literal > 0 ? from?.sql : `CASE WHEN ${from?.sql} = 0 THEN 1 WHEN ${from?.sql} < -length(${value?.sql}) THEN 1 ELSE ${from?.sql} END`;
  return { sql: `substr(${value?.sql}, ${start}${count ? `, ${count.sql}` : ''})`, type: STRING };
}

/** With a capturing group its text is meant, else the whole match: known from the pattern, which DuckDB wants as a number. */
function groupOf(call: FunctionCall): number {
  const pattern = call.compile(argumentExpr(call, 1));
  if (pattern.literal === undefined) throw notSupported(`${call.name} with a pattern that is not a literal`, call.expr.place);
  const source = typeof pattern.literal === 'string' ? pattern.literal : pattern.sql.slice(1, -1);
  const groups = source.replace(/\\[\s\S]/g, '').replace(/\[[^\]]*\]/g, '').match(/\((?!\?)|\(\?P?</g)?.length ?? 0;
  if (groups > 1) throw invalidQuery(`Regular expression passed to ${call.name} must not have more than 1 capturing group`, call.expr.place);
  return groups;
}

/** No match is NULL in BigQuery and '' in DuckDB. */
function regexpExtract(call: FunctionCall): Typed {
  const [value, pattern, position, occurrence] = argumentsOf(call, 'STRING STRING INT64? INT64?');
  if (position && position.literal !== '1') throw notSupported(`${call.name} with a position`, call.expr.place);
  const nth = occurrence?.sql ?? '1';
  return { sql: `list_extract(regexp_extract_all(${value?.sql}, ${pattern?.sql}, ${groupOf(call)}), ${nth})`, type: STRING };
}

