// What a rollover did -> plain words. scripts/tomorrow.ts prints them.

export type LedgerRow = { stream: string; event_date: string; run: number; status: string; reason: string | null; read: number | null; kept: number | null; duplicate: number | null; late: number | null };

export type RolloverTold = {
  /** Rows that were added to the ledger, by date. */
  ledger: readonly LedgerRow[];
  made: readonly string[];
  dropped: readonly string[];
  last: { days: readonly { stream: string; date: string; state: string; why?: string; until?: string }[]; problems: readonly string[] };
};

export function tellRollover({ ledger, made, dropped, last }: RolloverTold): string {
  const lines: string[] = [''];
  if (ledger.length === 0) lines.push('No day had anything to roll over.');
  for (const row of ledger.filter((row) => !isEmpty(row))) lines.push(`  ${row.stream}_${row.event_date}: ${sentence(row)}`);
  const empty = ledger.filter(isEmpty);
  if (empty.length > 0) lines.push(`  without any event: ${empty.map(({ stream, event_date: date }) => `${stream}_${date}`).join(', ')}`);
  const daily = made.filter((name) => ledger.some(({ stream, event_date: date }) => name === `${stream}_${date}`));
  if (daily.length > 0) lines.push('', `Daily tables made:     ${daily.join(', ')}`);
  const ahead = made.filter((name) => !daily.includes(name));
  if (ahead.length > 0) lines.push(`Made for coming days:  ${ahead.join(', ')}`);
  if (dropped.length > 0) lines.push(`Dropped, now folded:   ${dropped.join(', ')}`);
  // That days to come are open is no news.
  const waiting = last.days.filter(({ state, why }) => state === 'waiting' && why !== 'not_closed');
  if (waiting.length > 0) lines.push('', ...waiting.map(({ stream, date, why, until }) => `Waiting: ${stream} of ${date}: ${WHY[why ?? ''] ?? why ?? 'later'}${until === undefined ? '' : `; not before ${until}`}.`));
  if (last.problems.length > 0) lines.push('', 'Problems:', ...last.problems.map((problem) => `  ${problem}`));
  return lines.join('\n');
}

const WHY: Record<string, string> = { late_rows_wait: 'its late rows are folded once a week, since one of them costs a rewrite of the day', retry_waits: 'its last run failed; it is tried again later' };

const isEmpty = ({ status, read }: LedgerRow): boolean => status === 'done' && (read ?? 0) === 0;

function sentence({ status, reason, read, kept, duplicate, late }: LedgerRow): string {
  if (status !== 'done') return `${status}${reason === null ? '' : ` (${reason})`}; nothing was dropped`;
  return `${count(kept, 'row')} kept of ${read ?? 0} read, ${count(duplicate, 'duplicate')} left out${(late ?? 0) > 0 ? `, ${late} of them had come late` : ''}`;
}

const count = (number: number | null, noun: string): string => `${number ?? 0} ${noun}${number === 1 ? '' : 's'}`;
