// A name, types and a JavaScript function in, the function callable from DuckDB's SQL; called by install for what DuckDB does not have.
import { DuckDBScalarFunction } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Answers NULL where an argument is NULL. It may not throw: a text that begins with `FAILED` is an error, which `gsql_checked` raises. */
export function register(connection: DuckDBConnection, name: string, parameterTypes: DuckDBType[], returnType: DuckDBType, run: (...values: never[]) => DuckDBValue): void {
  const call = run as (...values: unknown[]) => DuckDBValue;
  connection.registerScalarFunction(DuckDBScalarFunction.create({
    name, parameterTypes, returnType,
    mainFunction: (_info, input, output) => {
      const columns = parameterTypes.map((_, index) => input.getColumnVector(index));
      for (let row = 0; row < input.rowCount; row += 1) {
        const values = columns.map((column) => column.getItem(row));
        output.setItem(row, values.includes(null) ? null : call(...values));
      }
      output.flush();
    },
  }));
}

/** Marks a text as the message of an error. DuckDB ends the whole process' query on a throw inside a function, SAFE could not catch it. */
export const FAILED = '\u0001';
export const failed = (message: string): string => FAILED + message;
