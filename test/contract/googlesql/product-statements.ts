// Every statement that the product and its scripts send to BigQuery, from the code that builds them, and the queries of the documents. Used by the analyser test.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOf } from '../../../functions/rollover/columns.ts';
import { auditSql, conflictsSql, datesInTableSql, rowCountSql } from '../../../functions/rollover/sql/audit.ts';
import { foldSql } from '../../../functions/rollover/sql/fold.ts';
import { insertRunSql, markAnnouncedSql, runsSql } from '../../../functions/rollover/sql/ledger.ts';
import type { Run } from '../../../functions/rollover/sql/ledger.ts';
import { userDaysSql } from '../../../functions/rollover/sql/user-days.ts';
import { tableFunctionSql } from '../../../functions/rollover/table-function.ts';
import { streamTables } from '../../../functions/stream-tables.ts';

export type NamedStatement = [name: string, sql: string];

const ROOT = join(import.meta.dirname, '../../..');
const AT = { project: 'chiplog-demo', dataset: 'chiplog' };
const DATE = '20260115';
const RUN: Run = {
  stream: 'events', date: DATE, run: 3, jobId: 'rollover_events_20260115_3', status: 'provisional', reason: "it's \\ not done\n", read: 10, kept: 9, duplicate: 1, idConflict: null,
  late: 0, startedMs: 1_768_471_200_000, elapsedMs: 1_000, bytesProcessed: null, isAnnounced: false, sources: [{ table: 'events_intraday_20260115', rows: 10 }],
};

export function productStatements(): NamedStatement[] {
  const ofStreams = streamTables().flatMap((stream): NamedStatement[] => {
    const { prefix } = stream;
    const columns = columnsOf(stream);
    const sources = [`${prefix}_${DATE}`, `${prefix}_intraday_${DATE}`, `late_${prefix}_20260116`];
    return [
      [`audit of ${prefix}`, auditSql(AT, columns, DATE, sources)], [`conflicts of ${prefix}`, conflictsSql(AT, columns, DATE, sources)],
      [`fold of ${prefix}`, foldSql(AT, columns, DATE, sources)], [`fold of ${prefix} from one table`, foldSql(AT, columns, DATE, sources.slice(1, 2))],
      [`dates in a table of ${prefix}`, datesInTableSql(AT, `${prefix}_intraday_${DATE}`)], [`row count of ${prefix}`, rowCountSql(AT, `${prefix}_${DATE}`)],
      [`table function of ${prefix}`, tableFunctionSql(AT, stream)],
    ];
  });
  return [
    ...ofStreams,
    ['user days', userDaysSql(AT, DATE, `events_${DATE}`)], ['runs', runsSql(AT)], ['a run recorded', insertRunSql(AT, RUN, 1)],
    ['a run without reason and sources', insertRunSql(AT, { ...RUN, reason: null, sources: [] }, 1)], ['a run announced', markAnnouncedSql(AT, RUN, 1)],
  ];
}

/** What stands for the values that scripts put into their statements. A new one is named here, or the test fails. */
const VALUES: Record<string, string> = { 'run.dataset': 'chiplog', dataset: 'chiplog', 'at.dataset': 'chiplog', project: 'chiplog-demo', table: 'rejected_20260115', id: 'events_20260115', column: 'event_id', "selects.join(' UNION ALL ')": 'SELECT event_id FROM `chiplog.events_20260115`' };

/** Asked of the functions above; and scripts/query.ts sends what its user wrote, its own SELECTs are examples in its help. scripts/mutants quotes code that it damages. */
const BUILT_ELSEWHERE = /\/rollover\/sql\/|table-function\.ts$|scripts\/query\.ts$|scripts\/mutants\//;

/** Statements written out in functions/ and scripts/ as template or string literals. */
export function writtenStatements(): NamedStatement[] {
  return ['functions', 'scripts'].flatMap((folder) => filesOf(join(ROOT, folder), '.ts')).filter((file) => !BUILT_ELSEWHERE.test(file)).flatMap((file): NamedStatement[] => {
    const found = [...readFileSync(file, 'utf8').matchAll(/`((?:SELECT|INSERT INTO|UPDATE|DELETE FROM|MERGE|CREATE OR) (?:[^`\\]|\\.)*)`|'((?:SELECT|DELETE FROM) [^'\n]*)'/g)];
    return found.map(([, template, plain], index) => [`${file.slice(ROOT.length + 1)} ${index + 1}`, plain ?? filled(template ?? '')]);
  });
}

function filled(template: string): string {
  return template.replace(/\\`/g, '`').replace(/\$\{([^}]*)\}/g, (_, expression: string) => {
    const value = VALUES[expression];
    if (value === undefined) throw new Error(`what stands for \${${expression}} in a statement of scripts/?`);
    return value;
  });
}

/** The ```sql blocks of README.md and docs/. */
export function documentQueries(): NamedStatement[] {
  return [join(ROOT, 'README.md'), ...filesOf(join(ROOT, 'docs'), '.md')].flatMap((file) => {
    const blocks = [...readFileSync(file, 'utf8').matchAll(/```sql\n([\s\S]*?)```/g)];
    return blocks.map(([, sql], index): NamedStatement => [`${file.slice(ROOT.length + 1)} ${index + 1}`, sql ?? '']);
  });
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending) && !name.includes('node_modules')).map((name) => join(folder, name)).sort();
}
