// Result columns as BigQuery types, and the DuckDB SQL that turns rows into BigQuery's wire form ({"f":[{"v":…}]}) inside DuckDB, which is
// many times faster than walking nested values in JavaScript. Called by queries, getQueryResults and tabledata.list.
import { DuckDBTypeId, type DuckDBDecimalType, type DuckDBListType, type DuckDBStructType, type DuckDBType } from '@duckdb/node-api';
import { isRepeated, quoted, typeOf, type TableField } from './fields.ts';
import { Refusal } from './refusal.ts';

const SCALARS = new Map<DuckDBTypeId, string>([
  [DuckDBTypeId.BOOLEAN, 'BOOLEAN'], [DuckDBTypeId.FLOAT, 'FLOAT'], [DuckDBTypeId.DOUBLE, 'FLOAT'], [DuckDBTypeId.VARCHAR, 'STRING'],
  [DuckDBTypeId.BLOB, 'BYTES'], [DuckDBTypeId.DATE, 'DATE'], [DuckDBTypeId.TIME, 'TIME'], [DuckDBTypeId.TIMESTAMP, 'DATETIME'],
  [DuckDBTypeId.TIMESTAMP_S, 'DATETIME'], [DuckDBTypeId.TIMESTAMP_MS, 'DATETIME'], [DuckDBTypeId.TIMESTAMP_NS, 'DATETIME'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'TIMESTAMP'], [DuckDBTypeId.INTERVAL, 'INTERVAL'], [DuckDBTypeId.UUID, 'STRING'], [DuckDBTypeId.ENUM, 'STRING'],
]);
const INTEGERS = new Set([
  DuckDBTypeId.TINYINT, DuckDBTypeId.SMALLINT, DuckDBTypeId.INTEGER, DuckDBTypeId.BIGINT, DuckDBTypeId.HUGEINT, DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT, DuckDBTypeId.UINTEGER, DuckDBTypeId.UBIGINT, DuckDBTypeId.UHUGEINT, DuckDBTypeId.SQLNULL,
]);

/** The BigQuery column for a DuckDB result column. DuckDB's sums of integers are wider than 64 bits; BigQuery's are INT64. */
export function fieldOf(name: string, type: DuckDBType): TableField {
  if (type.typeId === DuckDBTypeId.LIST) {
    const element = fieldOf(name, (type as DuckDBListType).valueType);
    if (isRepeated(element)) throw new Refusal('invalidQuery', `Cannot construct array with element type ARRAY (column ${name}): arrays of arrays are not supported.`, 'query');
    return { ...element, mode: 'REPEATED' };
  }
  if (type.typeId === DuckDBTypeId.STRUCT) {
    const { entryNames, entryTypes } = type as DuckDBStructType;
    return { name, type: 'RECORD', mode: 'NULLABLE', fields: entryNames.map((entry, at) => fieldOf(entry === '' ? `_field_${at + 1}` : entry, entryTypes[at]!)) };
  }
  if (type.alias === 'JSON') return { name, type: 'JSON', mode: 'NULLABLE' };
  if (INTEGERS.has(type.typeId)) return { name, type: 'INTEGER', mode: 'NULLABLE' };
  if (type.typeId === DuckDBTypeId.DECIMAL) return { name, type: (type as DuckDBDecimalType).scale > 9 ? 'FLOAT' : 'NUMERIC', mode: 'NULLABLE' };
  const scalar = SCALARS.get(type.typeId);
  if (scalar === undefined) throw new Refusal('notImplemented', `The result column ${name} has the DuckDB type ${String(type)}, which has no BigQuery type here.`);
  return { name, type: scalar, mode: 'NULLABLE' };
}

/**
 * A VARCHAR expression with the whole row in wire form; `columns` are DuckDB expressions, one for each field. It joins pieces of text:
 * json_object would parse what it has just written again on every level, which took five times as long and as much memory.
 */
export const wireRowSql = (fields: TableField[], columns: string[]): string => rowSql(fields, columns, 0);

/** One concat with everything in it: each `||` would hold a vector of its own, and a GA4 row has a thousand of them. */
const rowSql = (fields: TableField[], columns: string[], depth: number, before = '{"f":[', after = ']}'): string =>
  `concat('${before}', ${fields.map((field, at) => `${cellSql(field, columns[at]!, depth)}, '${at < fields.length - 1 ? ',' : after}'`).join(', ') || `'${after}'`})`;

/** `{"v":…}` for one column; never NULL. */
function cellSql(field: TableField, value: string, depth: number): string {
  if (!isRepeated(field)) return elementSql(field, value, depth);
  const item = `_e${depth}`;
  // BigQuery knows no NULL arrays in results: they are empty.
  return `concat('{"v":[', array_to_string(list_transform(${value}, lambda ${item}: ${elementSql(field, item, depth + 1)}), ','), ']}')`;
}

function elementSql(field: TableField, value: string, depth: number): string {
  const type = typeOf(field);
  if (type === 'RECORD') {
    const nested = field.fields ?? [];
    return `CASE WHEN ${value} IS NULL THEN '{"v":null}' ELSE ${rowSql(nested, nested.map((inner) => memberSql(value, inner)), depth, '{"v":{"f":[', ']}}')} END`;
  }
  // Only these may hold characters that JSON escapes.
  if (type === 'STRING' || type === 'JSON') return `CASE WHEN ${value} IS NULL THEN '{"v":null}' ELSE concat('{"v":', to_json(CAST(${value} AS VARCHAR)), '}') END`;
  return `CASE WHEN ${value} IS NULL THEN '{"v":null}' ELSE concat('{"v":"', ${textSql(field, value)}, '"}') END`;
}

/** A scalar as BigQuery writes it. */
function textSql(field: TableField, value: string): string {
  switch (typeOf(field)) {
    case 'FLOAT':
      return `CASE WHEN isnan(CAST(${value} AS DOUBLE)) THEN 'NaN' WHEN isinf(CAST(${value} AS DOUBLE)) THEN CASE WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE CAST(CAST(${value} AS DOUBLE) AS VARCHAR) END`;
    case 'INTEGER':
    case 'BOOLEAN':
    case 'DATE':
      return `CAST(${value} AS VARCHAR)`;
    case 'INTERVAL':
      return `gsql_interval_text(${value})`;
    case 'NUMERIC':
      return `rtrim(rtrim(CAST(CAST(${value} AS DECIMAL(38,9)) AS VARCHAR), '0'), '.')`;
    case 'BYTES':
      return `base64(${value})`;
    case 'TIMESTAMP':
      return `CAST(epoch_us(${value}) AS VARCHAR)`;
    case 'DATETIME':
      return `CASE WHEN epoch_us(${value}) % 1000000 = 0 THEN strftime(${value}, '%Y-%m-%dT%H:%M:%S') ELSE strftime(${value}, '%Y-%m-%dT%H:%M:%S.%f') END`;
    case 'TIME':
      return `CASE WHEN epoch_us(${value}) % 1000000 = 0 THEN left(CAST(${value} AS VARCHAR), 8) ELSE rpad(CAST(${value} AS VARCHAR), 15, '0') END`;
    default:
      throw new Refusal('notImplemented', `Columns of type ${field.type} are not implemented in the local BigQuery (${field.name}).`);
  }
}

const memberSql = (value: string, field: TableField): string => `(${value}).${quoted(field.name)}`;

/** Rows are kept with TIMESTAMP as whole microseconds; who asks for neither useInt64Timestamp nor INT64 gets seconds as a float. */
export type TimestampFormat = 'INT64' | 'FLOAT64' | 'ISO8601_STRING';

type Cell = { v: unknown };
export const hasTimestamp = (fields: TableField[]): boolean => fields.some((field) => typeOf(field) === 'TIMESTAMP' || hasTimestamp(field.fields ?? []));

/** One row of wire JSON with its timestamps as the caller wants them. */
export function withTimestamps(row: { f: Cell[] }, fields: TableField[], format: TimestampFormat): { f: Cell[] } {
  const value = (field: TableField, v: unknown): unknown => {
    if (v === null) return null;
    if (Array.isArray(v)) return (v as Cell[]).map((cell) => ({ v: value({ ...field, mode: 'NULLABLE' }, cell.v) }));
    if (typeOf(field) === 'RECORD') return withTimestamps(v as { f: Cell[] }, field.fields ?? [], format);
    return typeOf(field) === 'TIMESTAMP' ? timestampText(BigInt(v as string), format) : v;
  };
  return { f: row.f.map((cell, at) => ({ v: value(fields[at]!, cell.v) })) };
}

function timestampText(micros: bigint, format: TimestampFormat): string {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = (micros - rest) / 1_000_000n;
  if (format === 'ISO8601_STRING') return new Date(Number(seconds) * 1_000).toISOString().replace('.000Z', rest === 0n ? 'Z' : `.${String(rest).padStart(6, '0')}Z`);
  // Google answers 1.767225600123456E9; Number() reads both alike.
  const negative = micros < 0n;
  const size = negative ? -micros : micros;
  const text = `${negative ? '-' : ''}${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, '0')}`;
  return text.replace(/0+$/, '').replace(/\.$/, '.0');
}
