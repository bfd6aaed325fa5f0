// REGEXP_… over STRING: calls in, DuckDB's RE2 out, which is the engine that BigQuery has. Looked up by the call compiler.
import { once } from '../bind-once.ts';
import { invalidQuery, notSupported } from '../google-sql-error.ts';
import { arrayOf, BOOL, INT64, STRING } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import { argumentsOf, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';

export const REGEXP_FUNCTIONS: FunctionTable = {
  REGEXP_CONTAINS: simple('STRING STRING', BOOL, (a, pattern) => `regexp_matches(${a}, ${pattern})`),
  REGEXP_EXTRACT: extract, REGEXP_SUBSTR: extract,
  REGEXP_EXTRACT_ALL: (call) => {
    const [value, pattern] = argumentsOf(call, 'STRING STRING') as [Typed, Typed];
    return { sql: once([value.sql, pattern.sql], (a = '', sql = '') => `list_transform(${allMatches(call, a, { ...pattern, sql })}, lambda e: coalesce(e, ''))`), type: arrayOf(STRING) };
  },
  REGEXP_REPLACE: (call) => {
    const [value, pattern, rewrite] = argumentsOf(call, 'STRING STRING STRING') as [Typed, Typed, Typed];
    checkRewrite(call, pattern, rewrite);
    return { sql: `regexp_replace(${value.sql}, ${pattern.sql}, ${rewrite.sql}, 'g')`, type: STRING };
  },
  REGEXP_INSTR: instr,
};

/** With a capturing group its text is meant, else the whole match. */
function groupsOf(pattern: Typed): number | undefined {
  if (typeof pattern.literal !== 'string') return undefined;
  return pattern.literal.replace(/\\[\s\S]/g, '').replace(/\[\^?\]?[^\]]*\]/g, '').match(/\((?!\?)|\(\?P?<(?![=!])/g)?.length ?? 0;
}

const tooManyGroups = (call: FunctionCall): string => `Regular expression passed to ${call.name} must not have more than 1 capturing group`;

/** All matches, without the empty one at the end of a text, which BigQuery does not count. */
function allMatches(call: FunctionCall, value: string, pattern: Typed): string {
  const groups = groupsOf(pattern);
  if (groups !== undefined && groups > 1) throw invalidQuery(tooManyGroups(call), call.expr.place);
  const matches = (group: number): string => `regexp_extract_all(${value}, ${pattern.sql}, ${group})`;
  if (groups !== undefined && !canBeEmpty(pattern)) return matches(groups);
  const trimmed = (group: number): string => `CASE WHEN regexp_full_match('', ${pattern.sql}) AND ${value} <> '' THEN ${matches(group)}[:-2] ELSE ${matches(group)} END`;
  if (groups !== undefined) return trimmed(groups);
  return `CASE gsql_groups(${pattern.sql}) WHEN 0 THEN ${trimmed(0)} WHEN 1 THEN ${trimmed(1)} ELSE ${call.compilation.raise(`'${tooManyGroups(call)}'`)} END`;
}

/** Whether a literal might match nothing at all: then the engine is asked; said too often it only costs time. */
const canBeEmpty = (pattern: Typed): boolean => typeof pattern.literal !== 'string' || !/[^\\]\+|^(?:\^|\\[wdSWD./]|[A-Za-z0-9/&=])[^*?|{]*(?:$|[+(])/.test(pattern.literal) || /[|*?{]/.test(pattern.literal);

/** A position cuts the text: `^` stands for where the search begins. */
function from(value: string, position: Typed | undefined): string {
  return position === undefined || position.literal === '1' ? value : `substr(${value}, ${position.sql})`;
}

function checkPositions(call: FunctionCall, ...values: (Typed | undefined)[]): void {
  for (const value of values) {
    if (value?.literal !== undefined && Number(value.literal) < 1) throw invalidQuery(`The position and the occurrence of ${call.name} must be positive`, call.expr.place);
  }
}

function extract(call: FunctionCall): Typed {
  const [value, pattern, position, occurrence] = argumentsOf(call, 'STRING STRING INT64? INT64?') as [Typed, Typed, Typed | undefined, Typed | undefined];
  checkPositions(call, position, occurrence);
  const sql = once([value.sql, pattern.sql, position?.sql ?? '1', occurrence?.sql ?? '1'], (a = '', matched = '', at = '', nth = '') => {
    const start = from(a, position && { ...position, sql: at });
    const found = `list_extract(${allMatches(call, start, { ...pattern, sql: matched })}, ${nth})`;
    // Past its end a text holds nothing, not even an empty match.
    return position === undefined || position.literal === '1' ? found : `CASE WHEN ${at} <= length(${a}) THEN ${found} END`;
  });
  return { sql, type: STRING };
}

/** RE2 tells no positions, so the shortest text before the match is measured. */
function instr(call: FunctionCall): Typed {
  const [value, pattern, position, occurrence, after] = argumentsOf(call, 'STRING STRING INT64? INT64? INT64?') as [Typed, Typed, Typed | undefined, Typed | undefined, Typed | undefined];
  checkPositions(call, position, occurrence);
  const groups = groupsOf(pattern);
  if (groups === undefined || typeof occurrence?.literal !== 'string' && occurrence) throw notSupported(`${call.name} with a pattern or occurrence that is not a literal`, call.expr.place);
  if (groups > 1) throw invalidQuery(tooManyGroups(call), call.expr.place);
  if (after && after.literal !== '0' && after.literal !== '1') throw notSupported(`${call.name} with an occurrence position that is not 0 or 1`, call.expr.place);
  const source = pattern.literal as string;
  const skipped = `(?:.*?(?:${source.replace(/\((?!\?)|\(\?P?<[A-Za-z_]\w*>/g, '(?:')})){${Number(occurrence?.literal ?? '1') - 1}}.*?`;
  const [before, match] = groups === 1 ? splitAtGroup(source, call) : ['', source];
  const head = `'(?s)\\A(${`${skipped}${before}`.replaceAll("'", "''")}${after?.literal === '1' ? match.replaceAll("'", "''") : ''})${after?.literal === '1' ? '' : `(?:${match.replaceAll("'", "''")})`}'`;
  const sql = once([value.sql, position?.sql ?? '1'], (a = '', at = '') => {
    const start = from(a, position && { ...position, sql: at });
    const offset = position === undefined || position.literal === '1' ? '' : ` + ${at} - 1`;
    return `CASE WHEN ${a} IS NULL THEN NULL WHEN ${start} <> '' AND regexp_matches(${start}, ${head}) THEN length(regexp_extract(${start}, ${head}, 1)) + 1${offset} ELSE 0 END`;
  });
  return { sql, type: INT64 };
}

/** A pattern with one group at its top level as what stands before the group and what begins with it. */
function splitAtGroup(source: string, call: FunctionCall): [before: string, match: string] {
  const at = /^((?:[^\\()[|]|\\[\s\S])*)\((?:\?P?<\w+>)?((?:[^\\()[|]|\\[\s\S]|\[[^\]]*\])*)\)(.*)$/s.exec(source);
  if (!at) throw notSupported(`${call.name} with a capturing group inside of others or of alternatives`, call.expr.place);
  return [at[1] ?? '', `(?:${at[2] ?? ''})`];
}

/** `\\2` where there is one group is an error in BigQuery and nothing in DuckDB. */
function checkRewrite(call: FunctionCall, pattern: Typed, rewrite: Typed): void {
  const groups = groupsOf(pattern);
  if (groups === undefined || typeof rewrite.literal !== 'string') return;
  for (const [, digit] of rewrite.literal.replaceAll('\\\\', '').matchAll(/\\(\d)/g)) {
    if (Number(digit) > groups) throw invalidQuery(`Invalid REGEXP_REPLACE pattern: Rewrite schema requests ${digit} matches, but the regexp only has ${groups} parenthesized subexpressions.`, call.expr.place);
  }
}
