// CAST(x AS STRING FORMAT 'YYYY-MM-DD') and back: an operand, a target and the format in, SQL out; called by the cast compiler. What it does not know is refused by name.
import type { Compilation } from '../compilation.ts';
import type { SqlType } from '../context.ts';
import { notSupported } from '../google-sql-error.ts';
import type { Place } from '../google-sql-error.ts';
import type { Typed } from '../scope.ts';
import { localTime } from './date-parts.ts';
import { instantOf, wallClock } from './zones.ts';

const isTime = ({ kind }: SqlType): boolean => kind === 'DATE' || kind === 'DATETIME' || kind === 'TIMESTAMP' || kind === 'TIME';

export function castWithFormat(compilation: Compilation, operand: Typed, target: SqlType, format: Typed, zone: string | undefined, isSafe: boolean, place: Place): Typed {
  const checked = `gsql_${isSafe || compilation.safe ? 'safe_' : ''}checked`;
  if (isTime(operand.type) && target.kind === 'STRING') return { sql: `${checked}(${written(operand, format, zone)})`, type: target };
  if (operand.type.kind === 'STRING' && isTime(target)) return { sql: fromText(compilation, `${checked}(gsql_cast_read('${target.kind}', ${format.sql}, ${operand.sql}, ${today(compilation, zone)}))`, target, zone), type: target };
  if (operand.type.kind === 'BYTES' && target.kind === 'STRING' && /^(?:HEX|BASE64)$/i.test(String(format.literal))) return { sql: /^HEX$/i.test(String(format.literal)) ? `lower(hex(${operand.sql}))` : `to_base64(${operand.sql})`, type: target };
  throw notSupported(`CAST of ${operand.type.kind} to ${target.kind} with FORMAT ${format.sql}`, place);
}

function written(operand: Typed, format: Typed, zone: string | undefined): string {
  const { sql, type } = operand;
  const wall = type.kind === 'TIME' ? `(DATE '1970-01-01' + ${sql})` : type.kind === 'DATE' ? `CAST(${sql} AS TIMESTAMP)` : localTime(operand, zone);
  return `gsql_cast_write('${type.kind}', ${format.sql}, epoch_us(${wall}), ${type.kind === 'TIMESTAMP' ? `epoch_us(${wall}) - epoch_us(${sql})` : '0'})`;
}

/** What a format leaves out of year and month is today's. */
const today = (compilation: Compilation, zone: string | undefined): string => `epoch_us(${wallClock(zone, `make_timestamptz(${compilation.context.now.getTime() * 1000}::BIGINT)`)})`;

function fromText(compilation: Compilation, read: string, target: SqlType, zone: string | undefined): string {
  if (target.kind !== 'TIMESTAMP') return target.kind === 'DATETIME' ? `CAST(${read} AS TIMESTAMP)` : `CAST(CAST(${read} AS TIMESTAMP) AS ${target.kind})`;
  // An offset in the text decides, whatever zone is named.
  const parameter = compilation.id('r');
  return `list_transform([${read}], lambda ${parameter}: CASE WHEN gsql_has_zone(${parameter}) THEN CAST(${parameter} AS TIMESTAMPTZ) ELSE ${instantOf(zone, `CAST(${parameter} AS TIMESTAMP)`)} END)[1]`;
}
