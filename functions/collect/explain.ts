// What a debug route answers: Google's validation messages in Google's shape, and beside them, under `chiplog`, what each event
// would have become: its table and its row, or everything that is wrong with it. Stores nothing. Called by the collector.
import { eventDateOf, shardFor } from '../table-shard.ts';
import { rowContext, toRow, type RequestFacts } from '../write/bigquery/row.ts';
import type { JudgedBatch } from './collect.ts';
import type { Received } from './make-lines.ts';
import { googleMessages, type ValidationMessage } from './protocols/ga4/google-rules.ts';

export type ExplainAt = { nowMs: number; timeZone: string };

type Explained = { index: number } & ({ table: string; row: unknown } | { rejected: unknown });

export function explain({ mapped, verdict }: JudgedBatch, { facts, source, route, requestId, receivedMicros }: Received, { nowMs, timeZone }: ExplainAt): unknown {
  const sent = mapped.asSent.batch as Record<string, unknown> & { events: readonly unknown[] };
  const messages = googleMessages(sent, facts.client.query ?? {}, receivedMicros);
  const requestFacts: RequestFacts = { requestId, receivedTimestamp: receivedMicros, source: source.id, protocol: route.protocol.name, messageId: '', client: facts.client };
  const context = rowContext(mapped.batch, requestFacts);
  const events = mapped.events.map((event, index): Explained => {
    const errors = verdict.rejected.get(index);
    if (errors !== undefined) return { index, rejected: errors };
    const fields = event as { event_timestamp: number | string };
    const eventDate = eventDateOf(Number(fields.event_timestamp), timeZone);
    const { table, kind } = shardFor(route.stream, eventDate, nowMs, timeZone);
    return { index, table, row: toRow(route.stream, context, fields, eventDate, requestFacts, kind === 'late') };
  });
  return { validationMessages: [...messages, ...ourMessages(verdict.rejected, messages)], chiplog: { events } };
}

/** Our own verdicts in Google's shape, for events that Google's rules found nothing wrong with. */
function ourMessages(rejected: JudgedBatch['verdict']['rejected'], google: readonly ValidationMessage[]): ValidationMessage[] {
  return [...rejected].flatMap(([index, errors]) => {
    const isTold = google.some(({ description }) => description.startsWith(`Event at index: [${index}]`));
    if (isTold) return [];
    return errors.map(({ pointer, message }): ValidationMessage => ({
      fieldPath: `events[${index}]${(pointer ?? '').replaceAll('/', '.')}`, description: `Event at index: [${index}]: ${message}`, validationCode: 'VALUE_INVALID',
    }));
  });
}
