// Which columns of a stream's table the writer fills and which only the rollover can fill: in goes a stream of the catalogue, out
// come lists of names in table order. Called by the statements in sql/.
import type { StreamTables, TableField } from '../stream-tables.ts';

/** Empty in intraday and late tables, as in Firebase's export; filled for the stream that has user days. */
export const COMPUTED_COLUMNS = ['event_previous_timestamp', 'user_first_touch_timestamp', 'user_ltv', 'traffic_source', 'is_active_user'] as const;

/** The one stream whose users have a history. Others with GA4's columns would mix their users into the same table. */
const STREAM_WITH_USERS = 'events';

/**
 * How an event came here, not what it says: a client that sends again, or a message delivered again, may change these, so they
 * do not make a conflict. `geo` is the network's answer, not the client's.
 */
const DELIVERY_COLUMNS = new Set([
  'received_timestamp', 'ingest', 'attempt', 'geo', 'event_server_timestamp_offset', 'event_bundle_sequence_id', 'batch_event_index', 'batch_page_id', 'batch_ordering_id',
]);

export type StreamColumns = {
  all: readonly TableField[];
  /** What the writer writes, and so what a duplicate can differ in. */
  written: readonly string[];
  /** What the client said: two copies that differ in it are a conflict. */
  content: readonly string[];
  /** The column that is unique in a daily table. */
  id: string;
  hasUsers: boolean;
};

export function columnsOf({ stream, fields }: Pick<StreamTables, 'stream' | 'fields'>): StreamColumns {
  const names = fields.map(({ name }) => name);
  const id = ['rejected_id', 'event_id'].find((name) => names.includes(name));
  if (id === undefined) throw new Error(`Stream ${stream} has neither event_id nor rejected_id: its rows cannot be told apart`);
  for (const name of ['event_date', 'received_timestamp']) if (!names.includes(name)) throw new Error(`Stream ${stream} has no column ${name}`);
  const computed = new Set<string>(COMPUTED_COLUMNS);
  const written = names.filter((name) => !computed.has(name));
  return {
    all: fields,
    written,
    content: written.filter((name) => name !== id && !DELIVERY_COLUMNS.has(name)),
    id,
    hasUsers: stream === STREAM_WITH_USERS && COMPUTED_COLUMNS.every((name) => names.includes(name)),
  };
}
