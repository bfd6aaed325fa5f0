// A client's protobuf descriptor, held against a table's columns: either a plan by which rows are read, or the mismatch as Google words it.
// Called by append-rows.ts once per descriptor; proto-row.ts reads rows by the plan.
import { isRepeated, isRequired, typeOf, type TableField } from './fields.ts';

/** google.protobuf.DescriptorProto as proto-loader decodes it: enums as names, and, unlike every other message, fields in camelCase (they are its own). */
export type Descriptor = { name?: string; field?: DescriptorField[]; nestedType?: Descriptor[]; enumType?: EnumDescriptor[] };
export type DescriptorField = { name?: string; number?: number; label?: string; type?: string; typeName?: string };
type EnumDescriptor = { name?: string; value?: { name?: string; number?: number }[] };

/** How the value of a field becomes JSON. The second half of the name is the encoding on the wire. */
export type FieldPlan = {
  number: number;
  name: string;
  /** `"name":` */
  key: Buffer;
  /** Place in the message's `seen`. */
  index: number;
  repeated: boolean;
  column: string;
  proto: string;
  path: string;
  nested?: MessagePlan;
  enumNames?: Map<number, string>;
};
export type MessagePlan = {
  byNumber: Map<number, FieldPlan>;
  fields: FieldPlan[];
  /** Arrays that a row lacks are empty in BigQuery, not NULL. */
  lists: { index: number; text: Buffer }[];
  /** REQUIRED columns, with the field that must be there, or without one. */
  required: { index: number; path: string }[];
  seen: Uint32Array;
  generation: number;
};

export class SchemaMismatch extends Error {
  override name = 'SchemaMismatch';
  readonly extraFields: string[];
  constructor(message: string, extraFields: string[] = []) {
    super(message);
    this.extraFields = extraFields;
  }
}

const INTEGERS = ['INT32', 'INT64', 'UINT32', 'SINT32', 'SINT64', 'SFIXED32', 'SFIXED64', 'FIXED32'];
/** Which protobuf types each column takes (docs/supported-data-types of the Storage Write API). */
const TAKES: Record<string, readonly string[]> = {
  STRING: ['STRING', 'ENUM'],
  BYTES: ['BYTES', 'STRING'],
  INTEGER: [...INTEGERS, 'ENUM'],
  FLOAT: ['DOUBLE', 'FLOAT'],
  BOOLEAN: ['BOOL', 'INT32', 'INT64', 'UINT32', 'UINT64'],
  TIMESTAMP: ['INT64', 'INT32', 'UINT32', 'SINT64', 'SFIXED64', 'STRING'],
  DATE: ['INT32', 'INT64', 'STRING'],
  DATETIME: ['STRING', 'INT64'],
  TIME: ['STRING', 'INT64'],
  NUMERIC: ['STRING', 'BYTES', 'INT32', 'INT64', 'UINT32', 'UINT64', 'DOUBLE', 'FLOAT'],
  JSON: ['STRING'],
  RECORD: ['MESSAGE', 'GROUP'],
};

const CHANGE_COLUMNS = new Set(['_CHANGE_TYPE', '_CHANGE_SEQUENCE_NUMBER']);

export function planOf(descriptor: Descriptor, columns: TableField[]): MessagePlan {
  const types = new Map<string, Descriptor>();
  const enums = new Map<string, EnumDescriptor>();
  index(descriptor, '', types, enums);
  const extra: string[] = [];
  const plan = messagePlan(descriptor, columns, '', { types, enums, extra });
  if (extra.length > 0) throw new SchemaMismatch(`Input schema has more fields than BigQuery schema, extra fields: '${extra.join(',')}'`, extra);
  return plan;
}

type Known = { types: Map<string, Descriptor>; enums: Map<string, EnumDescriptor>; extra: string[] };

/** Every nested type under its full name; a descriptor that stands alone names its own parts. */
function index(descriptor: Descriptor, prefix: string, types: Map<string, Descriptor>, enums: Map<string, EnumDescriptor>): void {
  const name = `${prefix}${descriptor.name ?? ''}`;
  types.set(name, descriptor);
  for (const nested of descriptor.nestedType ?? []) index(nested, `${name}.`, types, enums);
  for (const entry of descriptor.enumType ?? []) enums.set(`${name}.${entry.name ?? ''}`, entry);
}

/** `.package.Row.Item`, `Row.Item` or `Item`: the only type that ends so. */
function resolve<T>(known: Map<string, T>, typeName: string | undefined): T | undefined {
  const name = (typeName ?? '').replace(/^\./, '');
  if (known.has(name)) return known.get(name);
  const found = [...known.keys()].filter((key) => key.endsWith(`.${name}`) || name.endsWith(`.${key}`)).sort((a, b) => b.length - a.length)[0];
  return found === undefined ? undefined : known.get(found);
}

function messagePlan(descriptor: Descriptor, columns: TableField[], path: string, known: Known): MessagePlan {
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const fields: FieldPlan[] = [];
  const given = new Set<TableField>();
  for (const field of descriptor.field ?? []) {
    if (CHANGE_COLUMNS.has(field.name ?? '')) throw new SchemaMismatch(`Change data capture (${field.name ?? ''}) is not implemented in the local BigQuery: tables here have no primary keys`);
    const column = byName.get((field.name ?? '').toLowerCase());
    if (column === undefined) {
      known.extra.push(`${path}${field.name ?? ''}`);
      continue;
    }
    given.add(column);
    fields.push(fieldPlan(field, column, fields.length, path, known));
  }
  for (const column of columns) {
    if (isRequired(column) && !given.has(column)) throw new SchemaMismatch(`The required field ${path}${column.name} is missing in the proto message`);
  }
  const missing = columns.filter((column) => isRepeated(column) && !given.has(column));
  const lists = [...fields.filter((field) => field.repeated).map((field) => ({ index: field.index, name: field.name })), ...missing.map((column) => ({ index: -1, name: column.name }))];
  return {
    byNumber: new Map(fields.map((field) => [field.number, field])), fields,
    lists: lists.map((list) => ({ index: list.index, text: Buffer.from(`${JSON.stringify(list.name)}:[]`) })),
    required: fields.flatMap((field) => (isRequired(byName.get(field.name.toLowerCase())!) ? [{ index: field.index, path: field.path }] : [])),
    seen: new Uint32Array(fields.length), generation: 0,
  };
}

function fieldPlan(field: DescriptorField, column: TableField, at: number, path: string, known: Known): FieldPlan {
  const place = `${path}${column.name}`;
  const proto = (field.type ?? '').replace(/^TYPE_/, '');
  const type = typeOf(column);
  if (TAKES[type]?.includes(proto) !== true) {
    throw new SchemaMismatch(`The proto field mismatched with BigQuery field at ${place}, the proto field type ${proto.toLowerCase()}, BigQuery field type ${type}`);
  }
  const repeated = field.label === 'LABEL_REPEATED';
  if (repeated !== isRepeated(column)) {
    throw new SchemaMismatch(`The proto field mismatched with BigQuery field at ${place}, the proto field mode ${repeated ? 'REPEATED' : 'NULLABLE'}, BigQuery field mode ${column.mode ?? 'NULLABLE'}`);
  }
  const plan: FieldPlan = {
    number: field.number ?? 0, name: column.name, key: Buffer.from(`${JSON.stringify(column.name)}:`), index: at, repeated, column: type, proto, path: place,
  };
  if (type === 'RECORD') {
    const nested = resolve(known.types, field.typeName);
    if (nested === undefined || proto === 'GROUP') throw new SchemaMismatch(`The type ${field.typeName ?? ''} of ${place} is not part of the descriptor`);
    plan.nested = messagePlan(nested, column.fields ?? [], `${place}.`, known);
  }
  if (proto === 'ENUM' && type === 'STRING') {
    plan.enumNames = new Map((resolve(known.enums, field.typeName)?.value ?? []).map((value) => [value.number ?? 0, value.name ?? '']));
  }
  return plan;
}
