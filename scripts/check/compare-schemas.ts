// Two catalogues in (an earlier state of schemas/ and this one), the changes out, each patch, minor or breaking, naming the column or
// field. Breaking: a query or a client that worked would not. Minor: more columns, more is accepted. Patch: only words changed.
// Called by scripts/check.ts. Pure.
import type { Catalogue, Stream } from '../generate/read-catalogue.ts';
import type { Column } from '../generate/columns-of.ts';
import { compareValidation } from './compare-validation.ts';

export type Level = 'patch' | 'minor' | 'breaking';
export type Change = { level: Level; where: string; what: string };

const LEVELS: readonly Level[] = ['patch', 'minor', 'breaking'];

/** The largest of the changes; undefined when there is none. */
export const levelOf = (changes: readonly Change[]): Level | undefined => LEVELS.findLast((level) => changes.some((change) => change.level === level));

export function compareCatalogues(before: Catalogue, after: Catalogue): Change[] {
  const changes: Change[] = [];
  const names = new Set([...before.streams, ...after.streams].map(({ name }) => name));
  for (const name of names) {
    const old = before.streams.find((stream) => stream.name === name);
    const now = after.streams.find((stream) => stream.name === name);
    if (old === undefined) changes.push({ level: 'minor', where: name, what: 'stream added' });
    else if (now === undefined) changes.push({ level: 'breaking', where: name, what: 'stream removed' });
    else changes.push(...compareStreams(old, now));
  }
  changes.push(...compareColumns(before.raw, after.raw, 'raw'), ...compareValidation(before.sources, after.sources, 'sources document'));
  return changes.toSorted((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level));
}

function compareStreams(old: Stream, now: Stream): Change[] {
  const changes: Change[] = [];
  const { name } = now;
  for (const field of ['topic', 'table_prefix', 'route', 'clustering'] as const) {
    const [was, is] = [JSON.stringify(old[field] ?? null), JSON.stringify(now[field] ?? null)];
    if (was !== is) changes.push({ level: field === 'route' && was === 'null' ? 'minor' : 'breaking', where: name, what: `${field} was ${was}, is ${is}` });
  }
  for (const field of ['daily_expiration_days', 'raw_retention_days'] as const) {
    if (old[field] !== now[field]) changes.push({ level: (now[field] ?? Infinity) < (old[field] ?? Infinity) ? 'breaking' : 'minor', where: name, what: `${field} was ${old[field]}, is ${now[field]}` });
  }
  if (old.description !== now.description) changes.push({ level: 'patch', where: name, what: 'description changed' });
  changes.push(...compareColumns(old.columns, now.columns, name));
  if (old.client !== undefined && now.client !== undefined) changes.push(...compareValidation(old.client.batch, now.client.batch, `${name} batch`));
  return changes;
}

const typeOf = ({ type, repeated }: Column): string => `${repeated ? 'REPEATED ' : ''}${type}`;

/** Columns of one table or record, and below. */
function compareColumns(old: Column[], now: Column[], path: string): Change[] {
  const changes: Change[] = [];
  for (const column of old) {
    const where = `${path}.${column.name}`;
    const same = now.find(({ name }) => name === column.name);
    if (same === undefined) {
      const renamed = now.find((other) => other.number === column.number && typeOf(other) === typeOf(column) && !old.some(({ name }) => name === other.name));
      changes.push({ level: 'breaking', where, what: renamed === undefined ? 'column removed' : `column renamed to ${renamed.name}` });
      continue;
    }
    if (typeOf(column) !== typeOf(same)) changes.push({ level: 'breaking', where, what: `column was ${typeOf(column)}, is ${typeOf(same)}` });
    if (column.filledBy !== same.filledBy) changes.push({ level: 'minor', where, what: `filled by the ${same.filledBy}, was by the ${column.filledBy}` });
    if (column.description !== same.description) changes.push({ level: 'patch', where, what: 'description changed' });
    changes.push(...compareColumns(column.fields, same.fields, where));
  }
  for (const column of now) {
    if (!old.some(({ name }) => name === column.name)) changes.push({ level: 'minor', where: `${path}.${column.name}`, what: `column added (${typeOf(column)})` });
  }
  return [...changes, ...compareOrder(old, now, path)];
}

/** UNION ALL and SELECT * read columns by their place, and BigQuery adds columns at the end only. */
function compareOrder(old: Column[], now: Column[], path: string): Change[] {
  const places = old.map(({ name }) => now.findIndex((column) => column.name === name)).filter((place) => place >= 0);
  const moved = places.findIndex((place, index) => index > 0 && place < places[index - 1]!);
  const isRename = places.length < old.length;
  const firstNew = now.findIndex(({ name }) => !old.some((column) => column.name === name));
  if (moved > 0) return [{ level: 'breaking', where: path, what: `column ${now[places[moved]!]!.name} moved` }];
  if (!isRename && firstNew >= 0 && firstNew < old.length) return [{ level: 'breaking', where: `${path}.${now[firstNew]!.name}`, what: 'column added before others; new columns come last' }];
  return [];
}
