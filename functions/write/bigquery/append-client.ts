// Appends to any table over one connection each: in go a table and encoded rows, out comes an AppendAnswer. Made by function.ts,
// called by row-writer.ts. Connections live as long as they are used; a new one is opened when the old one failed or the table changed.
import { openAppendConnection } from './append-connection.ts';
import type { AppendConnection, AppendStream } from './append-connection.ts';
import type { AppendAnswer } from './append-answer.ts';
import type { protos } from '@google-cloud/bigquery-storage';
import type { Clock } from '../../clock.ts';

export type AppendRows = (table: string, stream: string, rows: readonly Uint8Array[]) => Promise<AppendAnswer>;
export type AppendClient = { append: AppendRows; close(): void };

/** A day's tables are used for a day; what is idle this long is closed the next time anything is appended. */
const IDLE_MS_MAX = 10 * 60_000;

export function createAppendClient(options: {
  project: string;
  dataset: string;
  descriptors: Record<string, protos.google.protobuf.IDescriptorProto>;
  openStream: (writeStream: string) => AppendStream;
  timeoutMs: number;
  clock: Clock;
}): AppendClient {
  const connections = new Map<string, { connection: AppendConnection; usedMs: number }>();

  const connect = (table: string, stream: string): AppendConnection => {
    const nowMs = options.clock();
    const known = connections.get(table);
    if (known !== undefined && known.connection.usable()) {
      known.usedMs = nowMs;
      return known.connection;
    }
    closeIdle(nowMs);
    const connection = openAppendConnection({
      writeStream: `projects/${options.project}/datasets/${options.dataset}/tables/${table}/streams/_default`,
      descriptor: options.descriptors[stream]!,
      timeoutMs: options.timeoutMs,
      openStream: options.openStream,
    });
    connections.set(table, { connection, usedMs: nowMs });
    return connection;
  };
  const closeIdle = (nowMs: number): void => {
    for (const [table, { connection, usedMs }] of connections) {
      if (!connection.idle() || nowMs - usedMs < IDLE_MS_MAX) continue;
      connection.close();
      connections.delete(table);
    }
  };

  return {
    async append(table, stream, rows) {
      const connection = connect(table, stream);
      const answeredBefore = connection.answered();
      const answer = await connection.append(rows);
      // A connection that had worked may have been closed while it idled (BigQuery does that): once more on a new one.
      // The rows may then be there twice, which the default stream allows and the rollover removes.
      const wasStale = answer.kind === 'unavailable' && answeredBefore > 0 && !connection.usable() && !answer.reason.startsWith('no answer');
      return wasStale ? await connect(table, stream).append(rows) : answer;
    },
    close() {
      for (const { connection } of connections.values()) connection.close();
      connections.clear();
    },
  };
}
