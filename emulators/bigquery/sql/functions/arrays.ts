// Functions over arrays and generators of arrays: calls in, DuckDB list functions out. Looked up by the call compiler.
import { noSignature, unify } from '../coerce.ts';
import { arrayOf, BOOL, BYTES, DATE, duckType, INT64, STRING, TIMESTAMP, FLOAT64 } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { argumentsOf, sameAsFirst, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';
import { intervalOf } from './intervals.ts';

export const ARRAY_FUNCTIONS: FunctionTable = {
  ARRAY_LENGTH: simple('ARRAY', INT64, (a) => `len(${a})`),
  ARRAY_REVERSE: simple('ARRAY', sameAsFirst, (a) => `list_reverse(${a})`),
  ARRAY_CONCAT: (call) => {
    const values = unify(argumentsOf(call, 'ARRAY ARRAY*'), 'function ARRAY_CONCAT', call.expr.place);
    const isNull = values.map(({ sql }) => `${sql} IS NULL`).join(' OR ');
    return { sql: `CASE WHEN ${isNull} THEN NULL ELSE flatten([${values.map(({ sql }) => sql).join(', ')}]) END`, type: sameAsFirst(values) };
  },
  ARRAY_TO_STRING: (call) => {
    const ofBytes = joinedBytes(call);
    if (ofBytes) return ofBytes;
    const [array, delimiter, nullText] = argumentsOf(call, 'ARRAY STRING STRING?');
    if (array?.type.kind === 'ARRAY' && array.type.element.kind !== 'STRING' && array.type.element.kind !== 'NULL') throw noSignature('function ARRAY_TO_STRING', [array], call.expr.place);
    const list = nullText ? `list_transform(${array?.sql}, lambda e: coalesce(e, ${nullText.sql}))` : array?.sql;
    return { sql: delimiter?.literal === undefined || delimiter.type.kind === 'NULL' || delimiter.sql.startsWith('CAST(NULL') ? `CASE WHEN ${delimiter?.sql} IS NOT NULL THEN array_to_string(${list}, ${delimiter?.sql}) END` : `array_to_string(${list}, ${delimiter.sql})`, type: STRING };
  },
  ARRAY_FIRST: (call) => atEnd(call, 1),
  ARRAY_LAST: (call) => atEnd(call, -1),
  ARRAY_SLICE: simple('ARRAY INT64 INT64', sameAsFirst, (a, from, to) => `list_slice(${a}, CASE WHEN ${from} < 0 THEN ${from} ELSE ${from} + 1 END, CASE WHEN ${to} < 0 THEN ${to} ELSE ${to} + 1 END)`),
  ARRAY_IS_DISTINCT: simple('ARRAY', BOOL, (a) => `(len(list_distinct(${a})) + CASE WHEN len(list_filter(${a}, lambda e: e IS NULL)) > 0 THEN 1 ELSE 0 END = len(${a}))`),
  ARRAY_INCLUDES: simple('ARRAY ANY', BOOL, (a, b) => `list_contains(${a}, ${b})`),
  ARRAY_MIN: (call) => aggregate(call, 'list_min'),
  ARRAY_MAX: (call) => aggregate(call, 'list_max'),
  ARRAY_SUM: (call) => aggregate(call, 'list_sum'),
  ARRAY_AVG: (call) => ({ sql: `list_avg(${argumentsOf(call, 'ARRAY')[0]?.sql})`, type: FLOAT64 }),
  GENERATE_ARRAY: (call) => {
    const values = unify(argumentsOf(call, 'NUMBER NUMBER NUMBER?'), 'function GENERATE_ARRAY', call.expr.place);
    const [from, to, step] = values.map(({ sql }) => sql);
    const type = sameAsFirst(values);
    if (type.kind === 'INT64') return { sql: stepped(call, `generate_series(${from}, ${to}${step === undefined ? '' : `, ${step}`})`, step === undefined ? undefined : `${step} = 0`), type: arrayOf(type) };
    // Counted and multiplied, so that small errors of a step do not add up.
    const by = step ?? '1';
    const count = `CAST(floor((${to} - ${from}) / ${by} + 1e-9) AS BIGINT)`;
    const item = (index: string): string => `CAST(${from} + ${index} * ${by} AS ${duckType(type)})`;
    return { sql: `CASE WHEN ${by} = 0 THEN ${call.compilation.raise("'Sequence step cannot be 0.'")} WHEN ${count} IS NULL THEN NULL ELSE list_transform(range(${count} + 1), lambda i: ${item('i')}) END`, type: arrayOf(type) };
  },
  GENERATE_DATE_ARRAY: (call) => {
    const { sql } = series(call, 'DATE');
    return { sql: `list_transform(${sql}, lambda e: CAST(e AS DATE))`, type: arrayOf(DATE) };
  },
  GENERATE_TIMESTAMP_ARRAY: (call) => ({ ...series(call, 'TIMESTAMP'), type: arrayOf(TIMESTAMP) }),
};

/** DuckDB joins texts only. */
function joinedBytes(call: FunctionCall): Typed | undefined {
  const [array, ...others] = call.expr.args.map((argument) => call.compile(argument));
  if (array?.type.kind !== 'ARRAY' || array.type.element.kind !== 'BYTES') return undefined;
  const [delimiter, instead] = argumentsOf({ ...call, expr: { ...call.expr, args: call.expr.args.slice(1) } }, 'BYTES BYTES?');
  if (!delimiter || others.length > 2) throw noSignature('function ARRAY_TO_STRING', [array, ...others], call.expr.place);
  const joined = `from_hex(array_to_string(list_transform(${array.sql}, lambda e: hex(${instead ? `coalesce(e, ${instead.sql})` : 'e'})), hex(${delimiter.sql})))`;
  return { sql: [delimiter, ...(instead ? [instead] : [])].every(({ literal }) => typeof literal === 'string') ? joined : `CASE WHEN ${delimiter.sql} IS NOT NULL${instead ? ` AND ${instead.sql} IS NOT NULL` : ''} THEN ${joined} END`, type: BYTES };
}

function atEnd(call: FunctionCall, position: number): Typed {
  const [array] = argumentsOf(call, 'ARRAY');
  if (array?.type.kind !== 'ARRAY') throw noSignature(`function ${call.name}`, array ? [array] : [], call.expr.place);
  const message = `'${call.name} cannot get the ${position > 0 ? 'first' : 'last'} element of an empty array'`;
  return { sql: `CASE WHEN len(${array.sql}) = 0 THEN ${call.compilation.raise(message)} ELSE list_extract(${array.sql}, ${position}) END`, type: array.type.element };
}

function aggregate(call: FunctionCall, duckName: string): Typed {
  const [array] = argumentsOf(call, 'ARRAY');
  if (array?.type.kind !== 'ARRAY') throw noSignature(`function ${call.name}`, array ? [array] : [], call.expr.place);
  return { sql: `${duckName}(${array.sql})`, type: array.type.element };
}

/** A step of zero would never end. */
function stepped(call: FunctionCall, sql: string, isZero: string | undefined): string {
  return isZero === undefined || /^[1-9]\d*(?:::BIGINT)? = 0$/.test(isZero) ? sql : `CASE WHEN ${isZero} THEN ${call.compilation.raise("'Sequence step cannot be 0.'")} ELSE ${sql} END`;
}

function series(call: FunctionCall, kind: 'DATE' | 'TIMESTAMP'): Typed {
  const [from, to] = argumentsOf({ ...call, expr: { ...call.expr, args: call.expr.args.slice(0, 2) } }, `${kind} ${kind}`);
  const step = call.expr.args[2];
  const interval = step ? intervalOf(call.compilation, call.scope, step) : 'to_days(1)';
  return { sql: stepped(call, `generate_series(${from?.sql}, ${to?.sql}, ${interval})`, step?.kind === 'interval' && step.value.kind === 'literal' && Number(step.value.value) !== 0 || !step ? undefined : `${interval} = INTERVAL 0 DAY`), type: arrayOf(kind === 'DATE' ? DATE : TIMESTAMP) };
}
