// Two resolved JSON Schemas in, what a client notices of their difference out: narrower is breaking, wider is minor. Called by
// compare-schemas.ts. Where a keyword's two values cannot be ordered (patterns) a change counts as narrower. Pure.
import { isSchema, type Json, type Schema } from '../generate/resolve-schema.ts';
import type { Change, Level } from './compare-schemas.ts';

const NOTES: ReadonlySet<string> = new Set(['title', 'description', 'examples', 'default', '$id', '$schema', 'x-column', 'x-filled-by', 'x-bigquery']);
const UPPER: ReadonlySet<string> = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);
const LOWER: ReadonlySet<string> = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const SCHEMAS: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'propertyNames']);

export function compareValidation(old: Schema, now: Schema, where: string): Change[] {
  const changes: Change[] = [];
  const add = (level: Level, what: string, at = where): void => void changes.push({ level, where: at, what });
  for (const keyword of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [was, is] = [old[keyword], now[keyword]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (keyword === 'properties') changes.push(...compareProperties(old, now, where));
    else if (keyword === 'required') compareRequired(was, is, where, add);
    else if (keyword === 'type' || keyword === 'enum') compareSet(keyword, was, is, add);
    else if (UPPER.has(keyword)) add(bound(is) < bound(was) ? 'breaking' : 'minor', said(keyword, was, is));
    else if (LOWER.has(keyword)) add(-bound(is, -1) < -bound(was, -1) ? 'breaking' : 'minor', said(keyword, was, is));
    else if (SCHEMAS.has(keyword)) changes.push(...compareInner(keyword, was, is, where));
    else if (NOTES.has(keyword)) add('patch', `${keyword} changed`);
    else add(is === undefined ? 'minor' : 'breaking', said(keyword, was, is));
  }
  return changes;
}

const bound = (value: Json | undefined, sign = 1): number => (typeof value === 'number' ? value : sign * Infinity);
const said = (keyword: string, was: Json | undefined, is: Json | undefined): string => `${keyword} was ${JSON.stringify(was) ?? 'not set'}, is ${JSON.stringify(is) ?? 'not set'}`;

function compareProperties(old: Schema, now: Schema, where: string): Change[] {
  const [was, is] = [(old['properties'] ?? {}) as Schema, (now['properties'] ?? {}) as Schema];
  const changes: Change[] = [];
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const at = `${where}.${name}`;
    const [before, after] = [was[name], is[name]];
    if (!isSchema(after)) changes.push({ level: 'breaking', where: at, what: 'field removed' });
    else if (isSchema(before)) changes.push(...compareValidation(before, after, at));
    // A new required field is reported by `required`.
    else changes.push({ level: 'minor', where: at, what: 'field added' });
  }
  return changes;
}

function compareRequired(was: Json | undefined, is: Json | undefined, where: string, add: (level: Level, what: string, at: string) => void): void {
  const [before, after] = [was, is].map((value) => new Set((value ?? []) as string[])) as [Set<string>, Set<string>];
  for (const name of after) if (!before.has(name)) add('breaking', 'field is now required', `${where}.${name}`);
  for (const name of before) if (!after.has(name)) add('minor', 'field is no longer required', `${where}.${name}`);
}

/** Lists of what is allowed; no list allows everything. */
function compareSet(keyword: string, was: Json | undefined, is: Json | undefined, add: (level: Level, what: string) => void): void {
  const [before, after] = [was, is].map((value) => (value === undefined ? undefined : new Set([value].flat().map((entry) => JSON.stringify(entry)))));
  const covers = (set: Set<string> | undefined, entry: string): boolean => set === undefined || set.has(entry) || (keyword === 'type' && entry === '"integer"' && set.has('"number"'));
  const isNarrower = before === undefined ? after !== undefined : [...before].some((entry) => !covers(after, entry));
  add(isNarrower ? 'breaking' : 'minor', said(keyword, was, is));
}

function compareInner(keyword: string, was: Json | undefined, is: Json | undefined, where: string): Change[] {
  const at = keyword === 'items' ? `${where}[]` : `${where} (${keyword})`;
  if (isSchema(was) && isSchema(is)) return compareValidation(was, is, at);
  const isWider = is === undefined || is === true || was === false;
  return [{ level: isWider ? 'minor' : 'breaking', where: at, what: `${keyword} changed` }];
}
