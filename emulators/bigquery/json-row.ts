// A row as JSON (insertAll, load jobs) becomes a line of JSON that DuckDB reads with the table's exact types, or a list of what is wrong with it.
import { isRepeated, isRequired, typeOf, type TableField } from './fields.ts';

export type RowProblem = { reason: string; location: string; message: string; debugInfo: string };
export type RowOptions = {
  ignoreUnknown: boolean;
  /** Load jobs take JSON columns as JSON; insertAll takes them as text of JSON. */
  jsonAsText: boolean;
};

class Problem extends Error {}

/** Answers the line (without \n), or the problems. */
export function lineOf(fields: TableField[], row: unknown, options: RowOptions): { line: string } | { problems: RowProblem[] } {
  const problems: RowProblem[] = [];
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return { problems: [problemAt('', 'A row is a JSON object.')] };
  const line = recordText(fields, row as Record<string, unknown>, '', options, problems);
  return problems.length > 0 ? { problems } : { line };
}

const problemAt = (location: string, message: string): RowProblem => ({ reason: 'invalid', location, message, debugInfo: '' });

/** What is known of a record before any row comes: its fields by name, each with its type and the beginning of its text. */
type RecordPlan = { byName: Map<string, FieldPlan>; byLowerName: Map<string, FieldPlan>; /** Fields that a row cannot leave out without a word. */ wanted: FieldPlan[] };
type FieldPlan = { field: TableField; key: string; type: string; isRepeated: boolean; isRequired: boolean };

const plans = new WeakMap<TableField[], RecordPlan>();

function planOf(fields: TableField[]): RecordPlan {
  const known = plans.get(fields);
  if (known !== undefined) return known;
  const all = fields.map((field): FieldPlan => ({ field, key: `${JSON.stringify(field.name)}:`, type: typeOf(field), isRepeated: isRepeated(field), isRequired: isRequired(field) }));
  const plan = {
    byName: new Map(all.map((one) => [one.field.name, one])), byLowerName: new Map(all.map((one) => [one.field.name.toLowerCase(), one])),
    wanted: all.filter((one) => one.isRepeated || one.isRequired),
  };
  plans.set(fields, plan);
  return plan;
}

function recordText(fields: TableField[], row: Record<string, unknown>, path: string, options: RowOptions, problems: RowProblem[]): string {
  const { byName, byLowerName, wanted } = planOf(fields);
  let text = '';
  const seen = new Set<FieldPlan>();
  for (const [name, value] of Object.entries(row)) {
    const plan = byName.get(name) ?? byLowerName.get(name.toLowerCase());
    if (plan === undefined) {
      if (!options.ignoreUnknown) problems.push(problemAt(`${path}${name}`, `no such field: ${name}.`));
      continue;
    }
    if (wanted.length > 0) seen.add(plan);
    text += `${text === '' ? '' : ','}${plan.key}${fieldText(plan, value, path, options, problems)}`;
  }
  for (const plan of wanted) {
    if (seen.has(plan)) continue;
    const { field } = plan;
    if (plan.isRequired) problems.push(problemAt(`${path}${field.name}`, `Missing required field: ${path}${field.name}.`));
    if (plan.isRepeated) text += `${text === '' ? '' : ','}${plan.key}[]`;
  }
  return `{${text}}`;
}

function fieldText(plan: FieldPlan, value: unknown, path: string, options: RowOptions, problems: RowProblem[]): string {
  const place = `${path}${plan.field.name}`;
  try {
    if (!plan.isRepeated) {
      if (value === null && plan.isRequired) throw new Problem(`Missing required field: ${place}.`);
      return value === null ? 'null' : valueText(plan, value, place, options, problems);
    }
    if (value === null) return '[]';
    if (!Array.isArray(value)) throw new Problem(`Array specified for non-repeated field or value given for the repeated field: ${place}.`);
    return `[${value.map((element) => {
      if (element === null) throw new Problem(`Only optional fields can be set to NULL. Field: ${place}; Value: NULL`);
      return valueText(plan, element, place, options, problems);
    }).join(',')}]`;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problems.push(problemAt(place, error.message));
    return 'null';
  }
}

function valueText({ field, type }: FieldPlan, value: unknown, place: string, options: RowOptions, problems: RowProblem[]): string {
  if (type === 'RECORD') {
    if (typeof value !== 'object' || Array.isArray(value)) throw new Problem(`This field: ${place} is a record.`);
    return recordText(field.fields ?? NO_FIELDS, value as Record<string, unknown>, `${place}.`, options, problems);
  }
  if (type === 'JSON') return jsonText(value, place, options);
  if (typeof value === 'object') throw new Problem(`This field: ${place} is not a record.`);
  return scalarText(type, value as string | number | boolean, place);
}

const NO_FIELDS: TableField[] = [];

/** Without white space between tokens, as BigQuery keeps JSON; numbers stay as they were written. */
export const compactJson = (json: string): string => json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');

function jsonText(value: unknown, place: string, { jsonAsText }: RowOptions): string {
  // JSON columns travel as text of JSON, which keeps the null of JSON apart from no value.
  if (!jsonAsText || typeof value !== 'string') return JSON.stringify(JSON.stringify(value));
  try {
    JSON.parse(value);
  } catch {
    throw new Problem(`Invalid JSON in the JSON field ${place}.`);
  }
  return JSON.stringify(compactJson(value));
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** One value of a scalar type as a JSON token that DuckDB casts exactly. */
export function scalarText(type: string, value: string | number | boolean, place: string): string {
  const bad = (): Problem => new Problem(`Cannot convert value to ${type === 'INTEGER' ? 'integer' : type.toLowerCase()} (bad value): ${String(value)} (field ${place}).`);
  const text = String(value);
  switch (type) {
    case 'STRING':
      return JSON.stringify(text);
    case 'INTEGER': {
      if (Number.isSafeInteger(value)) return text;
      if (typeof value === 'boolean' || !/^-?\d+$/.test(typeof value === 'number' && Number.isSafeInteger(value) ? value.toFixed(0) : text)) throw bad();
      const integer = BigInt(typeof value === 'number' ? value.toFixed(0) : text);
      if (integer < INT64_MIN || integer > INT64_MAX) throw bad();
      return String(integer);
    }
    case 'FLOAT': {
      const special = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
      if (special !== null) return special[2]!.toLowerCase() === 'nan' ? '"NaN"' : `"${special[1] === '-' ? '-' : ''}Infinity"`;
      if (typeof value === 'boolean' || text.trim() === '' || !Number.isFinite(Number(text))) throw bad();
      return String(Number(text));
    }
    case 'BOOLEAN': {
      const lower = text.toLowerCase();
      if (['true', 't', '1', 'yes', 'y'].includes(lower)) return 'true';
      if (['false', 'f', '0', 'no', 'n'].includes(lower)) return 'false';
      throw bad();
    }
    case 'NUMERIC':
      if (typeof value === 'boolean' || !/^[+-]?(\d{1,29}(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw bad();
      return JSON.stringify(text);
    case 'BYTES': {
      const standard = text.replaceAll('-', '+').replaceAll('_', '/');
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(standard)) throw bad();
      return bytesText(Buffer.from(standard, 'base64'));
    }
    case 'DATE':
      if (!isDate(text)) throw bad();
      return JSON.stringify(text);
    case 'TIME':
      if (!/^([01]?\d|2[0-3]):[0-5]?\d:[0-5]?\d(\.\d{1,6})?$/.test(text)) throw bad();
      return JSON.stringify(text);
    case 'DATETIME': {
      const match = /^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ]([01]?\d|2[0-3])(:[0-5]?\d:[0-5]?\d(?:\.\d{1,6})?))?$/.exec(text);
      if (match === null || !isDate(match[1]!)) throw bad();
      return JSON.stringify(`${match[1]} ${match[2] ?? '00'}${match[3] ?? ':00:00'}`);
    }
    case 'TIMESTAMP':
      return timestampToken(value, bad);
    default:
      throw new Problem(`Type ${type} is not implemented in the local BigQuery (field ${place}).`);
  }
}

/** DuckDB reads `\xFF` for each byte. */
export const bytesText = (bytes: Uint8Array): string => `"${[...bytes].map((byte) => `\\\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')}"`;

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (match === null || Number(match[1]) < 1) return false;
  const date = new Date(0);
  date.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return date.getUTCMonth() === Number(match[2]) - 1 && date.getUTCDate() === Number(match[3]);
}

/** Numbers are seconds since 1970; text is a date, a date and a time with or without zone, or such a number. */
function timestampToken(value: string | number | boolean, bad: () => Problem): string {
  if (typeof value === 'boolean') throw bad();
  const text = String(value);
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return microsToken(BigInt(Math.round(Number(text) * 1e6)), bad);
  const match = /^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ](\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?)\s*(Z|z|UTC|[+-]\d{1,2}(?::?\d{2})?)?)?$/.exec(text);
  if (match === null || !isDate(match[1]!)) throw bad();
  const zone = match[3] ?? '+00';
  const offset = /^[zZ]|UTC/.test(zone) ? '+00' : zone.replace(/^([+-])(\d)(?=:|$)/, '$10$2').replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const time = (match[2] ?? '00:00:00').replace(/(\.\d{6})\d+$/, '$1');
  return JSON.stringify(`${match[1]} ${time}${offset}`);
}

const MICROS_MIN = -62_135_596_800_000_000n; // 0001-01-01 00:00:00 UTC
const MICROS_MAX = 253_402_300_799_999_999n; // 9999-12-31 23:59:59.999999 UTC

/** Microseconds since 1970 as a token that DuckDB reads as a timestamp. */
export function microsToken(micros: bigint, bad: () => Error): string {
  if (micros < MICROS_MIN || micros > MICROS_MAX) throw bad();
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const iso = new Date(Number((micros - rest) / 1_000n)).toISOString();
  return `"${iso.slice(0, 10)} ${iso.slice(11, 19)}.${String(rest).padStart(6, '0')}+00"`;
}
