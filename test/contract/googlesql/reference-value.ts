// A type and a value as Google's reference evaluator gives them in, BigQuery's type name and wire form out; used by the reference client.

/** TypeProto and ValueProto as the gRPC client decodes them. */
export type TypeProto = {
  type_kind: string;
  array_type?: { element_type: TypeProto };
  struct_type?: { field?: { field_name?: string; field_type: TypeProto }[] };
  range_type?: { element_type: TypeProto };
};
export type ValueProto = Record<string, any> | undefined;

/** Scalars as BigQuery's REST API writes them, arrays as arrays, structs as the array of their values. */
export type WireValue = string | null | WireValue[];

const NAMES: Record<string, string> = { TYPE_DOUBLE: 'FLOAT64' };

export function typeNameOf(type: TypeProto): string {
  if (type.array_type) return `ARRAY<${typeNameOf(type.array_type.element_type)}>`;
  if (type.range_type) return `RANGE<${typeNameOf(type.range_type.element_type)}>`;
  if (type.struct_type) {
    const fields = (type.struct_type.field ?? []).map(({ field_name: name, field_type: fieldType }) => `${name ? `${name} ` : ''}${typeNameOf(fieldType)}`);
    return `STRUCT<${fields.join(', ')}>`;
  }
  return NAMES[type.type_kind] ?? type.type_kind.replace('TYPE_', '');
}

export function wireValueOf(type: TypeProto, value: ValueProto): WireValue {
  if (!value || Object.keys(value).length === 0) return null;
  switch (type.type_kind) {
    case 'TYPE_ARRAY': return (value['array_value'].element ?? []).map((item: ValueProto) => wireValueOf((type.array_type as { element_type: TypeProto }).element_type, item));
    case 'TYPE_STRUCT': return (type.struct_type?.field ?? []).map(({ field_type: fieldType }, index) => wireValueOf(fieldType, value['struct_value'].field?.[index]));
    case 'TYPE_RANGE': return `[${['start', 'end'].map((bound) => wireValueOf((type.range_type as { element_type: TypeProto }).element_type, value['range_value'][bound]) ?? 'UNBOUNDED').join(', ')})`;
    case 'TYPE_INT64': return value['int64_value'];
    case 'TYPE_BOOL': return String(value['bool_value']);
    case 'TYPE_STRING': return value['string_value'];
    case 'TYPE_BYTES': return (value['bytes_value'] as Buffer).toString('base64');
    case 'TYPE_JSON': return value['json_value'];
    case 'TYPE_DOUBLE': return floatText(value['double_value'] as number);
    case 'TYPE_DATE': return isoDate(Number(value['date_value']));
    case 'TYPE_TIMESTAMP': return String(BigInt(value['timestamp_value'].seconds ?? 0) * 1_000_000n + BigInt((value['timestamp_value'].nanos ?? 0) / 1_000));
    case 'TYPE_DATETIME': return datetimeText(BigInt(value['datetime_value'].bit_field_datetime_seconds), value['datetime_value'].nanos ?? 0);
    case 'TYPE_TIME': return timeText(BigInt(value['time_value']));
    case 'TYPE_NUMERIC': return decimalText(value['numeric_value'] as Buffer, 9);
    case 'TYPE_BIGNUMERIC': return decimalText(value['bignumeric_value'] as Buffer, 38);
    case 'TYPE_INTERVAL': return intervalText(value['interval_value'] as Buffer);
    default: throw new Error(`the reference gave a value of type ${type.type_kind}`);
  }
}

/** The JSON decoder of the gRPC client gives NaN and infinities as null or texts. */
function floatText(value: number): string {
  return String(value);
}

const isoDate = (days: number): string => new Date(days * 86_400_000).toISOString().slice(0, 10).replace(/^\+?0*(\d{4})/, '$1');
const padded = (value: bigint | number, digits = 2): string => String(value).padStart(digits, '0');
const fraction = (nanos: number): string => (nanos === 0 ? '' : `.${padded(nanos / 1_000, 6)}`);

/** Packed as year:14 month:4 day:5 hour:5 minute:6 second:6 (CivilTimeEncoder of GoogleSQL). */
function datetimeText(packed: bigint, nanos: number): string {
  const [second, minute, hour, day, month] = [packed & 63n, (packed >> 6n) & 63n, (packed >> 12n) & 31n, (packed >> 17n) & 31n, (packed >> 22n) & 15n];
  return `${padded(packed >> 26n, 4)}-${padded(month)}-${padded(day)}T${padded(hour)}:${padded(minute)}:${padded(second)}${fraction(nanos)}`;
}

/** Packed as hour:5 minute:6 second:6 nanos:30. */
function timeText(packed: bigint): string {
  const seconds = packed >> 30n;
  return `${padded(seconds >> 12n)}:${padded((seconds >> 6n) & 63n)}:${padded(seconds & 63n)}${fraction(Number(packed & 0x3fffffffn))}`;
}

function littleEndian(bytes: Buffer): bigint {
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);
  return BigInt.asIntN(Math.max(8, bytes.length * 8), value);
}

function decimalText(bytes: Buffer, scale: number): string {
  const value = littleEndian(bytes);
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${text}` : text;
}

/** Microseconds (8 bytes), days (4 bytes), and months with a sign in the upper bits of the last 4 (IntervalValue of GoogleSQL). */
function intervalText(bytes: Buffer): string {
  const micros = bytes.readBigInt64LE(0);
  const packed = bytes.readUInt32LE(12);
  const months = ((packed & 0x7fffe000) >>> 13) * (packed >>> 31 === 1 ? -1 : 1);
  const size = micros < 0n ? -micros : micros;
  const years = `${months < 0 ? '-' : ''}${Math.trunc(Math.abs(months) / 12)}-${Math.abs(months) % 12}`;
  const rest = size % 1_000_000n === 0n ? '' : `.${padded(size % 1_000_000n, 6)}`.replace(/^(\.\d{3})000$/, '$1');
  return `${years} ${bytes.readInt32LE(8)} ${micros < 0n ? '-' : ''}${size / 3_600_000_000n}:${(size / 60_000_000n) % 60n}:${(size / 1_000_000n) % 60n}${rest}`;
}
