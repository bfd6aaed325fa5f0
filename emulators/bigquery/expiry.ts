// What ends by itself: tables whose expirationTime has passed, and partitions older than their table keeps them. TableStore calls sweep() every second,
// by the steerable clock.
import type { Table } from './catalogue.ts';
import { rowsOf } from './engine.ts';
import { quoted } from './fields.ts';
import { physicalSql, type TableStore } from './table-store.ts';

const HOUR_MS = 3_600_000;

export class Expiry {
  private readonly store: TableStore;
  /** Partitions are looked at once an hour, and after each change of their table. */
  private readonly looked = new Map<string, string>();

  constructor(store: TableStore) {
    this.store = store;
  }

  async sweep(): Promise<void> {
    const now = this.store.now();
    for (const table of this.store.catalogue.all('table')) {
      if (Number(table.properties['expirationTime'] ?? Infinity) <= now) await this.drop(table);
      else if (table.timePartitioning?.expirationMs !== undefined && table.timePartitioning.field !== undefined) await this.dropPartitions(table, now);
    }
  }

  private async drop(table: Table): Promise<void> {
    const publish = await this.store.engine.change(async (connection): Promise<() => void> => {
      const current = this.store.catalogue.findTable(table.project, table.dataset, table.table);
      return current?.uid === table.uid ? this.store.drop(connection, current) : () => undefined;
    });
    publish();
  }

  private async dropPartitions(table: Table, now: number): Promise<void> {
    const { type, field, expirationMs } = table.timePartitioning!;
    const stamp = `${Math.floor(now / HOUR_MS)} ${table.modifiedMs} ${table.appliedSeq}`;
    if (this.looked.get(table.uid) === stamp) return;
    this.looked.set(table.uid, stamp);
    // A partition ends `expirationMs` after the moment that it begins with (docs/managing-partitioned-tables#partition-expiration).
    const old = `date_trunc('${type}', ${quoted(field!)}) < make_timestamp(${(now - Number(expirationMs)) * 1_000})`;
    const publish = await this.store.engine.change(async (connection): Promise<() => void> => {
      const current = this.store.catalogue.findTable(table.project, table.dataset, table.table);
      if (current?.uid !== table.uid) return () => undefined;
      const [found] = await rowsOf(connection, `SELECT 1 FROM ${physicalSql(current.physical)} WHERE ${old} LIMIT 1`);
      if (found === undefined) return () => undefined;
      await connection.run(`DELETE FROM ${physicalSql(current.physical)} WHERE ${old}`);
      // Row numbers of the buffer mean nothing once rows are gone.
      return this.store.catalogue.put(connection, { ...current, buffered: [], modifiedMs: now });
    });
    publish();
  }
}
