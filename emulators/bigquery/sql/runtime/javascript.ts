// What a JavaScript function is (as JSON text) and its arguments (as JSON text) in, its result as JSON text out; called from DuckDB's SQL through install.
import { createContext, Script } from 'node:vm';
import type { SqlType } from '../context.ts';
import { failed } from './register.ts';

export type JavaScriptFunction = { arguments: { name: string; type: SqlType }[]; returns: SqlType; body: string };

/** A body that never ends would hold the whole service. */
const RUN_TIMEOUT_MS = 5_000;
const REMEMBERED_MAX = 100;

type Compiled = { described: JavaScriptFunction; run: (values: unknown[]) => unknown };
const remembered = new Map<string, Compiled>();

export function runJavaScript(described: string, values: string): string {
  try {
    const { described: { arguments: parameters, returns }, run } = compiled(described);
    const given = JSON.parse(values) as unknown[];
    return JSON.stringify(toSql(run(parameters.map(({ type }, index) => fromSql(given[index], type))), returns)) ?? 'null';
  } catch (error) {
    const { name, message } = error as Error;
    return failed(`${name}: ${message}`);
  }
}

function compiled(described: string): Compiled {
  const known = remembered.get(described);
  if (known) return known;
  const parsed = JSON.parse(described) as JavaScriptFunction;
  // Nothing of this process is in reach of the body: BigQuery's JavaScript has no files, no network and no modules either.
  const context = createContext({ given: undefined });
  const script = new Script(`(function(${parsed.arguments.map(({ name }) => name).join(', ')}) {\n${parsed.body}\n}).apply(null, given)`);
  const entry: Compiled = {
    described: parsed,
    run: (values) => {
      context['given'] = values;
      return script.runInContext(context, { timeout: RUN_TIMEOUT_MS });
    },
  };
  remembered.set(described, entry);
  const oldest = remembered.keys().next().value;
  if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
  return entry;
}

/** As BigQuery hands values in: numbers as Number, bytes as base64, points in time as Date, STRUCT as an object, JSON as what it is. */
function fromSql(value: unknown, type: SqlType): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'ARRAY': return (value as unknown[]).map((item) => fromSql(item, type.element));
    case 'STRUCT': return Object.fromEntries(Object.values(value as object).map((item, index) => [type.fields[index]?.name ?? '', fromSql(item, type.fields[index]?.type ?? type)]));
    case 'FLOAT64': case 'NUMERIC': case 'INT64': return Number(value);
    case 'DATE': return new Date(`${String(value)}T00:00:00Z`);
    case 'TIMESTAMP': return new Date(Number(value) / 1000);
    case 'JSON': return JSON.parse(String(value));
    default: return value;
  }
}

function toSql(value: unknown, type: SqlType): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'ARRAY': {
      if (!isList(value)) throw new TypeError('the result of the function is no array');
      return Array.from(value, (item) => toSql(item, type.element));
    }
    case 'STRUCT': return Object.fromEntries(type.fields.map((field) => [field.name, toSql((value as Record<string, unknown>)[field.name], field.type)]));
    case 'INT64': return String(BigInt(Math.trunc(Number(value))));
    case 'FLOAT64': case 'NUMERIC': return String(Number(value));
    case 'BOOL': return Boolean(value);
    case 'STRING': case 'BYTES': return isDate(value) ? value.toISOString() : String(value);
    case 'DATE': return isDate(value) ? value.toISOString().slice(0, 10) : String(value);
    case 'TIMESTAMP': case 'DATETIME': return isDate(value) ? value.toISOString() : String(value);
    case 'JSON': return JSON.stringify(value) ?? null;
    default: return String(value);
  }
}

/** Values come from another realm, whose Date and Array are not those of this one. */
const isDate = (value: unknown): value is Date => Object.prototype.toString.call(value) === '[object Date]';
const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value);
