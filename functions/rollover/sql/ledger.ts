// Statements on `rollovers`: read it, add the row of a run, mark a row as announced. Called by look.ts and run-day.ts.
// DML, not the streaming API: each statement is a job with an id of its own, so that it happens once whoever repeats it.
import { ROLLOVERS } from '../tables.ts';
import { integerLiteral, path, stringLiteral } from './text.ts';
import type { DatasetPath } from './text.ts';

export type RunStatus = 'done' | 'provisional' | 'failed';

/** One row of `rollovers`. */
export type Run = {
  stream: string;
  date: string;
  run: number;
  jobId: string;
  status: RunStatus;
  reason: string | null;
  read: number | null;
  kept: number | null;
  duplicate: number | null;
  idConflict: number | null;
  late: number | null;
  startedMs: number;
  elapsedMs: number | null;
  bytesProcessed: number | null;
  isAnnounced: boolean;
  sources: { table: string; rows: number }[];
};

export const runsSql = (at: DatasetPath): string => `SELECT
  stream, event_date, run, job_id, status, reason, \`read\`, kept, duplicate, id_conflict, late, started_timestamp, elapsed_ms, bytes_processed,
  announced_timestamp IS NOT NULL AS is_announced,
  ARRAY_TO_STRING(ARRAY(SELECT CONCAT(s.table_name, '=', CAST(s.row_count AS STRING)) FROM UNNEST(sources) AS s), ',') AS source_rows
FROM ${path(at, ROLLOVERS)}
ORDER BY stream, event_date, run`;

export function runOfRow(row: Record<string, unknown>): Run {
  const number = (name: string): number | null => (row[name] === null || row[name] === undefined ? null : Number(row[name]));
  return {
    stream: String(row['stream']), date: String(row['event_date']), run: Number(row['run']), jobId: String(row['job_id']), status: row['status'] as RunStatus,
    reason: row['reason'] === null ? null : String(row['reason']),
    read: number('read'), kept: number('kept'), duplicate: number('duplicate'), idConflict: number('id_conflict'), late: number('late'),
    startedMs: Math.floor(Number(row['started_timestamp']) / 1_000), elapsedMs: number('elapsed_ms'), bytesProcessed: number('bytes_processed'),
    isAnnounced: row['is_announced'] === true,
    sources: String(row['source_rows'] ?? '').split(',').filter((part) => part !== '').map((part) => {
      const [table, rows] = part.split('=');
      return { table: table!, rows: Number(rows) };
    }),
  };
}

export function insertRunSql(at: DatasetPath, run: Run, recordedMicros: number): string {
  const sources = run.sources.map(({ table, rows }) => `(${stringLiteral(table)}, ${integerLiteral(rows)})`);
  return `INSERT INTO ${path(at, ROLLOVERS)} (stream, event_date, run, job_id, status, reason, \`read\`, kept, duplicate, id_conflict, late, started_timestamp, elapsed_ms, bytes_processed, recorded_timestamp, sources)
VALUES (
  ${stringLiteral(run.stream)}, ${stringLiteral(run.date)}, ${integerLiteral(run.run)}, ${stringLiteral(run.jobId)}, ${stringLiteral(run.status)},
  ${run.reason === null ? 'CAST(NULL AS STRING)' : stringLiteral(run.reason.slice(0, 1_000))},
  ${[run.read, run.kept, run.duplicate, run.idConflict, run.late].map(integerLiteral).join(', ')},
  ${integerLiteral(run.startedMs * 1_000)}, ${integerLiteral(run.elapsedMs)}, ${integerLiteral(run.bytesProcessed)}, ${integerLiteral(recordedMicros)},
  ARRAY<STRUCT<table_name STRING, row_count INT64>>[${sources.join(', ')}]
)`;
}

export const markAnnouncedSql = (at: DatasetPath, { stream, date, run }: Pick<Run, 'stream' | 'date' | 'run'>, announcedMicros: number): string =>
  `UPDATE ${path(at, ROLLOVERS)} SET announced_timestamp = ${integerLiteral(announcedMicros)}
WHERE stream = ${stringLiteral(stream)} AND event_date = ${stringLiteral(date)} AND run = ${integerLiteral(run)} AND announced_timestamp IS NULL`;
