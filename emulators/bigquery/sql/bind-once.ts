// Values in DuckDB SQL that an expression names several times in, the expression out; used by functions whose SQL repeats an operand.
// DuckDB works equal expressions out once, but it plans each by itself: nested calls would grow to megabytes of SQL, and every copy of a subquery would be joined.
import { createHash } from 'node:crypto';

/** Up to here a copy costs less than the list that a lambda needs: 50 ns a row. */
const COPIED_LENGTH_MAX = 250;

const isHeavy = (sql: string): boolean => sql.length > COPIED_LENGTH_MAX || /\bSELECT\b/.test(sql);
/** Functions look at literals, such as the pattern of a regular expression. */
const isLiteral = (sql: string): boolean => /^(?:|'(?:[^']|'')*'|-?\d[\w.:]*|true|false|NULL)$/.test(sql);

/** `write` says the expression with the names that it is given, which are the values themselves where those are short. */
export function once(values: string[], write: (...names: string[]) => string): string {
  if (!values.some(isHeavy)) return write(...values);
  const bound = [...new Set(values.filter((sql) => !isLiteral(sql)))];
  // By its content: equal expressions stay equal, as GROUP BY wants them, and a name that hides another means the same.
  const row = `v_${createHash('sha1').update(bound.join('\n')).digest('hex').slice(0, 12)}`;
  if (bound.length === 1) return `list_transform([${bound[0]}], lambda ${row}: ${write(...values.map((sql) => (isLiteral(sql) ? sql : row)))})[1]`;
  const fields = bound.map((sql, index) => `f${index} := ${sql}`).join(', ');
  return `list_transform([struct_pack(${fields})], lambda ${row}: ${write(...values.map((sql) => (isLiteral(sql) ? sql : `${row}.f${bound.indexOf(sql)}`)))})[1]`;
}
