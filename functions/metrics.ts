// Counters of one process: counted in memory, told as one structured log line a minute and at the end. Log-based metrics and
// alerts read those lines. "Accepted" means after Pub/Sub said yes.
import type { Log } from './log.ts';

export type Metrics = {
  count: (name: string, by?: number) => void;
  /** Everything since the start of the process. */
  totals: () => Record<string, number>;
  /** Logs what was counted since the last time, if anything. */
  tell: () => void;
};

const TELL_EVERY_MS = 60_000;

export function createMetrics(log: Log): Metrics {
  const totals = new Map<string, number>();
  let told = new Map<string, number>();
  return {
    count(name, by = 1) {
      totals.set(name, (totals.get(name) ?? 0) + by);
    },
    totals: () => Object.fromEntries(totals),
    tell() {
      const since = [...totals].map(([name, total]) => [name, total - (told.get(name) ?? 0)] as const).filter(([, number]) => number !== 0);
      told = new Map(totals);
      if (since.length > 0) log('INFO', 'Counted.', Object.fromEntries(since));
    },
  };
}

/** Tells every minute, without keeping the process alive. */
export function tellEveryMinute(metrics: Metrics): void {
  setInterval(metrics.tell, TELL_EVERY_MS).unref();
}
