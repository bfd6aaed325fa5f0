// What a JavaScript function is (as JSON text) and the arguments of rows (as JSON text) in, their results as JSON text out; called from DuckDB's SQL through install.
import { createContext, Script } from 'node:vm';
import type { SqlType } from '../context.ts';
import { failed } from './register.ts';

export type JavaScriptFunction = { arguments: { name: string; type: SqlType }[]; returns: SqlType; body: string };

/** A body that never ends would hold the whole service. */
const RUN_TIMEOUT_MS = 5_000;
const REMEMBERED_MAX = 100;

/** Rows that are run together: a call with a time limit takes a hundred times as long as one without. `at` is the row that runs. */
type Batch = { rows: unknown[][]; answers: ({ value: unknown } | { error: unknown })[]; at: number };
type Compiled = { described: JavaScriptFunction; run: (batch: Batch, timeoutMs: number) => void };
const remembered = new Map<string, Compiled>();

/** Each row is what the function is and its arguments. */
export function runJavaScript(rows: [described: string, values: string][], timeoutMs = RUN_TIMEOUT_MS): string[] {
  const answers: string[] = [];
  while (answers.length < rows.length) {
    const [described = ''] = rows[answers.length] ?? [];
    const end = rows.findIndex((row, index) => index > answers.length && row[0] !== described);
    answers.push(...runRows(described, rows.slice(answers.length, end < 0 ? undefined : end).map(([, values]) => values), timeoutMs));
  }
  return answers;
}

function runRows(described: string, rows: string[], timeoutMs: number): string[] {
  try {
    const { described: { arguments: parameters, returns }, run } = compiled(described);
    const batch: Batch = { rows: rows.map((values) => given(parameters, values)), answers: [], at: 0 };
    const stopped = runAll(batch, () => run(batch, timeoutMs));
    // A query with a row that does not end has failed, whatever the rows after it would give.
    return rows.map((_, index) => answerText(batch.answers[index] ?? { error: stopped }, returns));
  } catch (error) {
    return rows.map(() => failed(messageOf(error)));
  }
}

/** The time limit is one row's: while rows come to an end it begins anew. Answers what ended the row that did not. */
function runAll(batch: Batch, run: () => void): unknown {
  while (batch.at < batch.rows.length) {
    const before = batch.at;
    try {
      run();
    } catch (error) {
      if (batch.at === before) return error;
    }
  }
  return undefined;
}

function given(parameters: JavaScriptFunction['arguments'], values: string): unknown[] {
  const parsed = JSON.parse(values) as unknown[];
  return parameters.map(({ type }, index) => fromSql(parsed[index], type));
}

function answerText(answer: Batch['answers'][number], returns: SqlType): string {
  try {
    if ('error' in answer) throw answer.error;
    return JSON.stringify(toSql(answer.value, returns)) ?? 'null';
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** Anything can be thrown, and what comes from another realm is none of this one's errors. */
function messageOf(error: unknown): string {
  const { name, message } = (error ?? {}) as Partial<Error>;
  return name === undefined && message === undefined ? String(error) : `${name}: ${message}`;
}

function compiled(described: string): Compiled {
  const known = remembered.get(described);
  if (known) return known;
  const parsed = JSON.parse(described) as JavaScriptFunction;
  // Nothing of this process is in reach of the body: BigQuery's JavaScript has no files, no network and no modules either.
  const context = createContext({ batch: undefined });
  const body = `(function(${parsed.arguments.map(({ name }) => name).join(', ')}) {\n${parsed.body}\n})`;
  const script = new Script(`(function(batch, run) {
    globalThis.batch = undefined;
    for (; batch.at < batch.rows.length; batch.at += 1) {
      try { batch.answers[batch.at] = { value: run.apply(null, batch.rows[batch.at]) }; } catch (error) { batch.answers[batch.at] = { error }; }
    }
  })(batch, ${body})`);
  const entry: Compiled = {
    described: parsed,
    run: (batch, timeout) => {
      context['batch'] = batch;
      script.runInContext(context, { timeout });
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
