// Days: in goes the patient, out come findings about days that are missing, unfinished or disputed. Called by checks.ts.
import { isDate, readyAt, sourceTables } from '../../functions/rollover/plan.ts';
import { runOfRow, runsSql, type Run } from '../../functions/rollover/sql/ledger.ts';
import { addDays, dateOf } from '../../functions/table-shard.ts';
import { once } from './check-pubsub.ts';
import type { Listed } from './check-shards.ts';
import { curesFor } from './cures.ts';
import type { Check, Finding } from './finding.ts';
import type { Patient } from './patient.ts';

const HOUR_MS = 3_600_000;
/** The rollover comes every quarter of an hour; a day that is not folded by then has trouble. */
const FOLDED_WITHIN_MS = 6 * HOUR_MS;
/** Late rows of older days wait for a week (CHIPLOG_ROLLOVER_OLDER_EVERY_DAYS), and then for the next round. */
const LATE_FOLDED_WITHIN_MS = 8 * 24 * HOUR_MS;

export function dayChecks(patient: Patient, tables: () => Promise<Listed[]>): Check[] {
  const runs = once(() => readRuns(patient));
  return patient.streams.map((stream): Check => ({
    name: `days of ${stream.stream}`,
    run: async () => {
      const names = (await tables()).filter(({ type }) => type === 'TABLE').map(({ name }) => name);
      const ledger = (await runs())?.filter((run) => run.stream === stream.stream);
      return [...checkTables(patient, stream, names), ...(ledger === undefined ? [] : checkRuns(patient, stream, names, ledger))];
    },
  }));
}

/** Undefined when there is no ledger, which is a finding of its own. */
async function readRuns(patient: Patient): Promise<Run[] | undefined> {
  const [exists] = await patient.dataset.table('rollovers').exists();
  if (!exists) return undefined;
  const [rows] = await patient.dataset.query({ query: runsSql({ project: patient.project, dataset: patient.datasetName }), location: patient.location });
  return (rows as Record<string, unknown>[]).map(runOfRow);
}

const dailyDates = (prefix: string, tables: readonly string[]): string[] =>
  tables.filter((name) => name.startsWith(`${prefix}_`)).map((name) => name.slice(prefix.length + 1)).filter(isDate).sort();

function checkTables(patient: Patient, { stream, prefix }: Patient['streams'][number], tables: readonly string[]): Finding[] {
  const cures = curesFor(patient);
  const { nowMs, timeZone } = patient;
  const overdue = (date: string, afterMs: number): boolean => nowMs > readyAt(date, timeZone) + afterMs;
  const sources = sourceTables(prefix, tables);
  const left = sources.flatMap(({ table, kind, date }): Finding[] => {
    if (kind === 'intraday' && overdue(date, FOLDED_WITHIN_MS)) return [{ kind: 'intraday_left', where: table, what: `The day closed ${hours(nowMs - readyAt(date, timeZone))} ago, and its intraday table is still there.`, why: 'Its daily table is not made, or the counts do not agree, so that nothing may be dropped.', cure: cures.rollover(date, stream) }];
    if (kind === 'late' && overdue(date, LATE_FOLDED_WITHIN_MS)) return [{ kind: 'late_left', where: table, what: `The late table of ${date} is still there.`, why: 'Its events are in no daily table yet.', cure: cures.allLate(stream) }];
    return [];
  });
  const dailies = dailyDates(prefix, tables);
  const days = new Set([...dailies, ...sources.filter(({ kind }) => kind === 'intraday').map(({ date }) => date)]);
  const missing: Finding[] = [];
  for (let date = [...days].sort()[0] ?? dateOf(nowMs, timeZone); overdue(date, FOLDED_WITHIN_MS); date = addDays(date, 1)) {
    if (days.has(date)) continue;
    const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
    missing.push({ kind: 'day_missing', where: `${prefix}_${date}`, what: 'The day has neither a daily nor an intraday table, and there are earlier days.', why: 'Its events are in no table; the raw files have them.', cure: cures.replay(stream, day) });
  }
  return [...left, ...missing];
}

function checkRuns(patient: Patient, { stream, prefix }: Patient['streams'][number], tables: readonly string[], runs: readonly Run[]): Finding[] {
  const cures = curesFor(patient);
  const last = new Map(runs.map((run) => [run.date, run]));
  const disputed = [...last.values()].filter(({ status }) => status !== 'done').map(({ date, status, reason }): Finding => ({
    kind: status === 'provisional' ? 'day_provisional' : 'day_failed', where: `${prefix}_${date}`, what: `The last rollover of the day ended as ${status}: ${reason ?? 'no reason given'}.`,
    why: status === 'provisional' ? 'The counts of its tables do not agree with what the daily table holds; nothing was dropped.' : 'The daily table is as it was before.', cure: cures.rollover(date, stream),
  }));
  const unknown = dailyDates(prefix, tables).filter((date) => !last.has(date)).map((date): Finding => ({
    kind: 'day_without_rollover', where: `${prefix}_${date}`, what: 'The daily table is in no row of the ledger.', why: 'Somebody made it by hand, or the ledger lost it; the table function does not read it.', cure: cures.rollover(date, stream),
  }));
  return [...disputed, ...unknown];
}

const hours = (ms: number): string => `${Math.round(ms / HOUR_MS)} hours`;
