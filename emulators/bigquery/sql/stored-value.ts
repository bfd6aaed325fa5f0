// A value and the type of a column in, the value as a table keeps it out: an ARRAY that is NULL is an empty one there, also inside of STRUCTs. Used by all that writes rows which a query made.
import { once } from './bind-once.ts';
import { freshParameter, structField } from './coerce.ts';
import type { SqlType } from './context.ts';
import { duckFieldName, duckType, structPack } from './sql-type.ts';

export function storedValue(sql: string, type: SqlType): string {
  if (type.kind === 'ARRAY') return `coalesce(${storedElements(sql, type.element)}, CAST([] AS ${duckType(type)}))`;
  if (type.kind !== 'STRUCT' || !type.fields.some((field) => holdsArray(field.type))) return sql;
  return once([sql], (row = '') => {
    const fields = type.fields.map((field, index) => {
      const name = duckFieldName(field, index);
      return { name, type: field.type, sql: storedValue(structField(row, name), field.type) };
    });
    return `CASE WHEN ${row} IS NOT NULL THEN ${structPack(fields)} END`;
  });
}

function storedElements(sql: string, element: SqlType): string {
  if (!holdsArray(element)) return sql;
  const parameter = freshParameter(sql);
  return `list_transform(${sql}, lambda ${parameter}: ${storedValue(parameter, element)})`;
}

const holdsArray = (type: SqlType): boolean => type.kind === 'ARRAY' || (type.kind === 'STRUCT' && type.fields.some((field) => holdsArray(field.type)));
