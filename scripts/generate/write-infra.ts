// Two lists that Terraform reads: the tables of the rollover with their columns, and the time zones that a deployment may report in.
// In go functions/ and Node's own zone database, out come infra/kept-tables.json and infra/time-zones.json.
import { timeZone } from '../../functions/config.ts';
import { labelOf } from '../../functions/reporting-zone.ts';
import { KEPT_TABLES } from '../../functions/rollover/tables.ts';

/** rollovers and user_days, whose columns are named in the rollover's code. */
export function writeKeptTables(): string {
  return json(KEPT_TABLES.map(({ name, description, clustering, partitionedBy, fields }) => ({ name, description, clustering, partitioned_by: partitionedBy ?? null, fields })));
}

/**
 * Node lists each zone once, some under the name they had years ago, and UTC not at all. These are the names of today that the IANA
 * database has for them; the functions take both.
 */
const NAMES_OF_TODAY = [
  'UTC', 'Etc/UTC', 'Etc/GMT', 'Africa/Asmara', 'America/Argentina/Buenos_Aires', 'America/Argentina/Catamarca', 'America/Argentina/Cordoba', 'America/Argentina/Jujuy',
  'America/Argentina/Mendoza', 'America/Atikokan', 'America/Indiana/Indianapolis', 'America/Kentucky/Louisville', 'America/Nuuk', 'Asia/Ho_Chi_Minh', 'Asia/Kathmandu',
  'Asia/Kolkata', 'Asia/Yangon', 'Atlantic/Faroe', 'Europe/Kyiv', 'Pacific/Chuuk', 'Pacific/Kanton', 'Pacific/Pohnpei',
];

/** Each with the label that the functions give a dataset for it: Terraform gives it at the dataset's birth. */
export function writeTimeZones(): string {
  const names = [...new Set([...NAMES_OF_TODAY, ...Intl.supportedValuesOf('timeZone')])].sort();
  return json(Object.fromEntries(names.map((name) => [name, labelOf(timeZone(name))])));
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
