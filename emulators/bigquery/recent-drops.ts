// Names of tables that were dropped a short while ago: after a table is made again under such a name, Google may for some minutes acknowledge
// streamed rows and lose them. A fault plan for `AppendRows.recreated` (kind `lose`) makes the local BigQuery do that, so that tests can prove
// that the pipeline never streams into such a table.
import type { Table } from './catalogue.ts';

const WINDOW_MS = 10 * 60_000;

export class RecentDrops {
  private readonly dropped = new Map<string, number>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  add(table: Pick<Table, 'project' | 'dataset' | 'table'>): void {
    this.dropped.set(nameOf(table), this.now());
  }

  /** Whether a table of this name was dropped within the window. */
  has(table: Pick<Table, 'project' | 'dataset' | 'table'>): boolean {
    const at = this.dropped.get(nameOf(table));
    return at !== undefined && this.now() - at < WINDOW_MS;
  }
}

const nameOf = (table: Pick<Table, 'project' | 'dataset' | 'table'>): string => `${table.project}:${table.dataset}.${table.table}`;
