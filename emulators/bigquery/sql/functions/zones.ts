// A TIMESTAMP or a wall clock with a zone in, the other one out; zones are names or offsets ("+05:30"), literals or not. Used wherever BigQuery takes a zone.

const UTC = /^'(?:Etc\/)?(?:UTC|Z|GMT|UCT|Zulu)'$/i;
const OFFSET = /^'(?:UTC)?([+-])(\d{1,2})(?::?(\d{2}))?'$/;

/** `zone` is SQL; without one UTC is meant, as in BigQuery. */
export function wallClock(zone: string | undefined, instant: string): string {
  if (zone === undefined || UTC.test(zone)) return `timezone('UTC', ${instant})`;
  const minutes = offsetMinutes(zone);
  if (minutes !== undefined) return `(timezone('UTC', ${instant}) + to_minutes(${minutes}))`;
  return zone.startsWith("'") ? `timezone(${zone}, ${instant})` : `gsql_wall_clock(${zone}, ${instant})`;
}

/** Of the two instants that an hour repeated in autumn may mean, BigQuery takes the first and DuckDB the second. */
export function instantOf(zone: string | undefined, wall: string): string {
  if (zone === undefined || UTC.test(zone)) return `timezone('UTC', ${wall})`;
  const minutes = offsetMinutes(zone);
  if (minutes !== undefined) return `timezone('UTC', ${wall} - to_minutes(${minutes}))`;
  return `${zone.startsWith("'") ? 'gsql_first_instant' : 'gsql_instant'}(${zone}, ${wall})`;
}

function offsetMinutes(zone: string): number | undefined {
  const [, sign, hours, minutes] = OFFSET.exec(zone) ?? [];
  return hours === undefined ? undefined : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes ?? 0));
}
