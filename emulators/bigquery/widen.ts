// New columns in DuckDB: a table's physical columns from what they are to what the schema says. Called wherever a schema grows (REST, jobs).
import type { DuckDBConnection } from '@duckdb/node-api';
import { columnSql, duckType, quoted, type TableField } from './fields.ts';

/**
 * Inside the caller's transaction. A column inside a RECORD is added by changing the RECORD's type, which casts by names: DuckDB's own ADD COLUMN of a
 * nested field commits, but its log can't be replayed, and after a kill the whole database would not open again (seen with 1.5.5).
 */
export async function widenPhysical(connection: DuckDBConnection, physicalSql: string, before: readonly TableField[], after: readonly TableField[]): Promise<void> {
  const known = new Map(before.map((field) => [field.name.toLowerCase(), field]));
  for (const field of after) {
    const old = known.get(field.name.toLowerCase());
    const type = duckType(field);
    if (old === undefined) await connection.run(`ALTER TABLE ${physicalSql} ADD COLUMN ${columnSql(field)}`);
    else if (duckType(old) !== type) await connection.run(`ALTER TABLE ${physicalSql} ALTER COLUMN ${quoted(old.name)} TYPE ${type}`);
  }
}
