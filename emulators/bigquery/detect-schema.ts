// The first rows of a file in, a schema out: what `autodetect` of a load job finds. Called by run-load.ts.
import type { Readable } from 'node:stream';
import { typeOf, type TableField } from './fields.ts';
import { csvRecords, type CsvOptions, type CsvRecord } from './load-csv.ts';
import { readJsonLines } from './load-json.ts';
import { Refusal } from './refusal.ts';

/** "up to the first 500 rows" (docs/schema-detect). */
const ROWS_MAX = 500;

/** From narrow to wide; a text that fits none is a STRING. */
const TEXT_TYPES: readonly [string, RegExp][] = [
  ['BOOLEAN', /^(true|false)$/i], ['INTEGER', /^[+-]?\d{1,18}$/], ['FLOAT', /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i], ['DATE', /^\d{4}-\d{2}-\d{2}$/],
  ['TIME', /^\d{1,2}:\d{2}:\d{2}(\.\d{1,6})?$/], ['TIMESTAMP', /^\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}:\d{2}(\.\d{1,9})?\s*(Z|UTC|[+-]\d{1,2}(:?\d{2})?)?$/],
];
const textType = (text: string): string => TEXT_TYPES.find(([, form]) => form.test(text))?.[0] ?? 'STRING';

/** `csv`: its options; undefined means newline-delimited JSON. */
export async function detectFields(input: Readable, csv: CsvOptions | undefined): Promise<{ fields: TableField[]; hasHeader: boolean }> {
  const found = csv === undefined ? { fields: await fromJson(input), hasHeader: false } : await fromCsv(input, csv);
  input.destroy();
  if (found.fields.length === 0) throw new Refusal('invalid', 'Error while reading data, error message: Failed to detect schema: there are no rows.');
  return found;
}

async function fromJson(input: Readable): Promise<TableField[]> {
  let fields: TableField[] = [];
  let rows = 0;
  for await (const entry of readJsonLines(input)) {
    if ('row' in entry && typeof entry.row === 'object' && entry.row !== null) fields = merged(fields, fieldsOfRow(entry.row as Record<string, unknown>));
    rows += 1;
    if (rows >= ROWS_MAX) break;
  }
  return fields.map(settled);
}

/** What was NULL in every row is text. */
const settled = (field: TableField): TableField => ({ ...field, ...(field.type === 'NULL' ? { type: 'STRING' } : {}), ...(field.fields === undefined ? {} : { fields: field.fields.map(settled) }) });

const fieldsOfRow = (row: Record<string, unknown>): TableField[] => Object.entries(row).flatMap(([name, value]) => fieldOf(name, value) ?? []);

function fieldOf(name: string, value: unknown): TableField | undefined {
  if (value === null) return { name, type: 'NULL', mode: 'NULLABLE' };
  if (Array.isArray(value)) {
    const elements = value.flatMap((element) => (element === null ? [] : fieldOf(name, element) ?? []));
    const [first, ...rest] = elements;
    return first === undefined ? undefined : { ...rest.reduce(wider, first), mode: 'REPEATED' };
  }
  if (typeof value === 'object') {
    const fields = fieldsOfRow(value as Record<string, unknown>);
    return fields.length === 0 ? undefined : { name, type: 'RECORD', mode: 'NULLABLE', fields };
  }
  const type = typeof value === 'boolean' ? 'BOOLEAN' : typeof value === 'number' ? (Number.isInteger(value) ? 'INTEGER' : 'FLOAT') : textType(String(value));
  return { name, type, mode: 'NULLABLE' };
}

function merged(fields: TableField[], more: TableField[]): TableField[] {
  const names = new Map(more.map((field) => [field.name, field]));
  const kept = fields.map((field) => (names.has(field.name) ? wider(field, names.get(field.name)!) : field));
  return [...kept, ...more.filter((field) => !fields.some((other) => other.name === field.name))];
}

function wider(one: TableField, other: TableField): TableField {
  if (one.type === 'NULL' || other.type === 'NULL') return one.type === 'NULL' ? other : one;
  if (one.type === 'RECORD' && other.type === 'RECORD') return { ...one, fields: merged(one.fields ?? [], other.fields ?? []), mode: one.mode === 'REPEATED' || other.mode === 'REPEATED' ? 'REPEATED' : 'NULLABLE' };
  return { ...one, type: widerType(typeOf(one), typeOf(other)) };
}

function widerType(one: string, other: string): string {
  if (one === other) return one;
  const both = [one, other].sort().join(' ');
  return both === 'FLOAT INTEGER' ? 'FLOAT' : both === 'DATE TIMESTAMP' ? 'TIMESTAMP' : 'STRING';
}

async function fromCsv(input: Readable, options: CsvOptions): Promise<{ fields: TableField[]; hasHeader: boolean }> {
  const records: CsvRecord[] = [];
  for await (const record of csvRecords(input, options)) {
    records.push(record);
    if (records.length > ROWS_MAX) break;
  }
  // N: "skips N-1 rows and tries to detect headers in row N"; 0: there are none; unspecified: they may be in the first row.
  const skip = options.skipLeadingRows === undefined ? 1 : Number(options.skipLeadingRows);
  const rest = records.slice(Math.max(0, skip - 1));
  const [head, ...body] = rest;
  if (head === undefined) return { fields: [], hasHeader: false };
  const types = typesOf(skip === 0 ? rest : body, head.cells.length);
  const hasHeader = skip > 1 || (skip === 1 && (options.skipLeadingRows !== undefined || looksLikeHeader(head, types)));
  const shown = hasHeader ? types : typesOf(rest, head.cells.length);
  return { hasHeader, fields: shown.map((type, at) => ({ name: hasHeader ? nameOf(head.cells[at]!.text, at) : `${type.toLowerCase().replace('integer', 'int64').replace('float', 'double')}_field_${at}`, type, mode: 'NULLABLE' })) };
}

function typesOf(records: readonly CsvRecord[], columns: number): string[] {
  return Array.from({ length: columns }, (_, at) => {
    const types = records.flatMap(({ cells }) => (cells[at] === undefined || cells[at].text === '' ? [] : [textType(cells[at].text)]));
    return types.length === 0 ? 'STRING' : types.reduce(widerType);
  });
}

/** Texts only, over at least one column that is none. */
const looksLikeHeader = (head: CsvRecord, types: readonly string[]): boolean =>
  head.cells.every(({ text }) => text !== '' && textType(text) === 'STRING') && types.some((type) => type !== 'STRING');

const nameOf = (text: string, at: number): string => {
  const name = text.trim().replace(/[^\p{L}\p{N}_]/gu, '_').replace(/^(\p{N})/u, '_$1');
  return name === '' ? `string_field_${at}` : name;
};
