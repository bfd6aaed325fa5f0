// The queries of test/emulators/bigquery-sql through Google's analyser: what the local BigQuery takes, Google takes, and what it calls wrong, Google calls wrong.
// Skipped where the analyser is not installed (npm run contract -- --install puts it into .contract/zetasql).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GoogleSqlError } from '../../../emulators/bigquery/sql/google-sql-error.ts';
import { translate } from '../../../emulators/bigquery/sql/translate.ts';
import type { Engine } from '../../emulators/bigquery-sql/engine.ts';
import { FIELDS, startGa4Engine } from '../../emulators/bigquery-sql/ga4-data.ts';
import { typeOf } from './ga4-catalogue.ts';
import { isReferenceInstalled } from './reference-server.ts';
import { startReference } from './reference.ts';
import type { Reference, ReferenceTable } from './reference.ts';

const FOLDER = join(import.meta.dirname, '../../emulators/bigquery-sql');

/** Where the two differ, and why that is right. */
const EXCEPTIONS: [pattern: RegExp, why: string][] = [
  [/INFORMATION_SCHEMA|__TABLES__/i, "BigQuery's own views, which the analyser is not told of"],
  [/^SELECT 1 AS x, 2 AS X$/, "a rule of BigQuery's results, not of the language"],
  [/LAG\(a, -1\)/, 'refused by Google while it runs'],
  [/[@?]\w*/, 'parameters, whose values only the test knows'],
  [/GROUP BY ALL|\|>|GROUPING\(.*\bCUBE\b|\bMAX_BY\b|\bMIN_BY\b|_BUCKET\(|EDIT_DISTANCE|CONTAINS_SUBSTR|JSON_KEYS|UNION ALL BY NAME|FULL OUTER UNION|LEFT UNION/i, 'newer than this analyser'],
];

/** One SELECT or WITH: scripts are no statements for the analyser, and others need tables that it is not told of. */
function queriesOf(file: string): string[] {
  const literals = readFileSync(join(FOLDER, file), 'utf8').match(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g) ?? [];
  return literals.filter((literal) => /^.(?:SELECT|WITH)\b/i.test(literal) && !literal.includes('${'))
    .map((literal) => new Function(`return ${literal}`)() as string)
    .filter((sql) => !/;\s*\S/.test(sql));
}

const ALL = readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts')).flatMap((file) => queriesOf(file).map((sql): [string, string] => [file, sql]));

let reference: Reference;
let engine: Engine;

const TABLE_NAMES = ['events_20260114', 'events_20260115', 'events_intraday_20260116'];
const WILDCARD = /`((?:p-1\.)?(?:d\.)?(events_[a-z0-9_]*\*))`/g;

function tablesFor(sql: string): ReferenceTable[] {
  const columns = FIELDS.map((field) => ({ name: field.name, type: typeOf(field) }));
  const wildcards = [...sql.matchAll(WILDCARD)].map(([, name]) => ({ name: name ?? '', columns: [...columns, { name: '_TABLE_SUFFIX', type: { type_kind: 'TYPE_STRING' }, isPseudo: true }] }));
  const plain = TABLE_NAMES.flatMap((name) => [`p-1.d.${name}`, `d.${name}`].map((path) => ({ name: path, columns })));
  return [...new Map([...plain, ...wildcards].map((table) => [table.name, table])).values()];
}

/** What is wrong with it; undefined: nothing. */
function ours(sql: string): GoogleSqlError | undefined {
  try {
    translate(sql, engine.context());
    return undefined;
  } catch (error) {
    if (error instanceof GoogleSqlError) return error;
    throw error;
  }
}

describe.skipIf(!isReferenceInstalled)("Google's analyser", () => {
  beforeAll(async () => { [reference, engine] = await Promise.all([startReference(), startGa4Engine()]); });
  afterAll(() => reference.stop());

  test.each(ALL)('%s: %s', async (_file, sql) => {
    if (EXCEPTIONS.some(([pattern]) => pattern.test(sql))) return;
    const here = ours(sql);
    // What the local one does not have, it says so; what tables a test makes for itself, the analyser cannot know.
    if (here?.reason === 'notImplemented' || here?.reason === 'notFound') return;
    await reference.setTables(tablesFor(sql));
    const there: unknown = await reference.analyse(sql.trim().replace(/;$/, ''), { allow_undeclared_parameters: true }).then(() => undefined, (error: unknown) => (error as Error).message);
    if (typeof there === 'string' && /(?:Table|Function) not found/.test(there)) return;
    expect(`${here === undefined ? 'taken' : 'refused'}: ${here?.message ?? ''}`, `Google's analyser: ${String(there ?? 'taken')}`).toMatch(there === undefined ? /^taken/ : /^refused/);
  });

  test('saw queries of both kinds', () => {
    const refused = ALL.filter(([, sql]) => ours(sql)?.reason === 'invalidQuery');
    expect(refused.length).toBeGreaterThan(20);
    expect(ALL.length - refused.length).toBeGreaterThan(100);
  });
});
