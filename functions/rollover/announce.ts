// Tells the world that a day is final or has changed: in goes a finished run, out goes one message on the topic {prefix}-days.
// Called by rollover.ts after the run is in `rollovers`. At least once: a receiver that must not act twice looks at `run`.
import type { Run } from './sql/ledger.ts';

export type DayMessage = {
  type: 'day.finalized' | 'day.changed';
  stream: string;
  /** YYYYMMDD in the reporting time zone. */
  date: string;
  /** The daily table's name. */
  table: string;
  run: number;
  kept: number;
  /** Rows that the daily table gained against its run before. */
  added: number;
  late: number;
  id_conflict: number;
};

/** The first finished run of a date finalizes it; every later one changes it. */
export function dayMessage(run: Run, runs: readonly Run[], table: string): DayMessage {
  const before = runs.filter(({ date, status, run: number }) => date === run.date && status === 'done' && number < run.run).at(-1);
  return {
    type: before === undefined ? 'day.finalized' : 'day.changed',
    stream: run.stream, date: run.date, table, run: run.run, kept: run.kept ?? 0, added: (run.kept ?? 0) - (before?.kept ?? 0), late: run.late ?? 0, id_conflict: run.idConflict ?? 0,
  };
}

export type PublishDay = (message: DayMessage) => Promise<void>;
