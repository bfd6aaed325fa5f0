// A name, types and a JavaScript function in, the function callable from DuckDB's SQL; called by install for what DuckDB does not have.
import { DuckDBScalarFunction } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Answers NULL where an argument is NULL. It may not throw: a text that begins with `FAILED` is an error, which `gsql_checked` raises. */
export function register(connection: DuckDBConnection, name: string, parameterTypes: DuckDBType[], returnType: DuckDBType, run: (...values: never[]) => DuckDBValue): void {
  const call = run as (...values: unknown[]) => DuckDBValue;
  registerBatch(connection, name, parameterTypes, returnType, (rows: unknown[][]) => rows.map((values) => call(...values)));
}

/** The same for a function that answers many rows at once, up to 2048: what it costs to call it is then paid once. */
export function registerBatch(connection: DuckDBConnection, name: string, parameterTypes: DuckDBType[], returnType: DuckDBType, run: (rows: never[]) => DuckDBValue[]): void {
  const call = run as (rows: unknown[][]) => DuckDBValue[];
  connection.registerScalarFunction(DuckDBScalarFunction.create({
    name, parameterTypes, returnType,
    mainFunction: (_info, input, output) => {
      const columns = parameterTypes.map((_, index) => input.getColumnVector(index));
      const rows = Array.from({ length: input.rowCount }, (_, row) => columns.map((column) => column.getItem(row)));
      const answers = call(rows.filter((values) => !values.includes(null)));
      let answered = 0;
      rows.forEach((values, row) => output.setItem(row, values.includes(null) ? null : answers[answered++] ?? null));
      output.flush();
    },
  }));
}

/** Marks a text as the message of an error. DuckDB ends the whole process' query on a throw inside a function, SAFE could not catch it. */
export const FAILED = '\u0001';
export const failed = (message: string): string => FAILED + message;
