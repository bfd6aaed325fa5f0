// What BigQuery or the mapping will never take, sent to the rejected topic: in go refused events or an unreadable message, out comes
// whether the topic has them (only then may the message be acknowledged). Called by row-writer.ts and write-message.ts.
import { createHash } from 'node:crypto';
import { encodeLine } from '../../envelope-line.ts';
import type { EncodedLine } from '../../envelope-line.ts';
import type { Envelope, PushedMessage, RejectedBody } from '../../envelope.ts';
import type { IngestError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { accepted } from '../../outcome.ts';
import type { Outcome } from '../../outcome.ts';
import { makeRejectedEnvelope } from '../../publish/message.ts';
import type { RowOrigin } from './pending-row.ts';

export type RefusedEvent = { origin: RowOrigin; index: number; error: IngestError };
export type RejectedSink = {
  refuseEvents(events: readonly RefusedEvent[]): Promise<Outcome<unknown>>;
  refuseMessage(message: UnreadableMessage, error: IngestError): Promise<Outcome<unknown>>;
};
/** A message (or, without an id, a push body) that cannot be read. */
export type UnreadableMessage = Pick<PushedMessage, 'data'> & Partial<PushedMessage>;

/** Whole up to here: a row may have 10 MB, and base64 adds a third. The archive has the message whole in any case. */
const RAW_BYTES_MAX = 3 * 1024 * 1024;

export function createRejectedSink(options: {
  publish: (line: EncodedLine) => Promise<Outcome<unknown>>;
  clock: () => number;
  codeVersion: string;
  log: Log;
}): RejectedSink {
  const send = async (lines: EncodedLine[]): Promise<Outcome<unknown>> => {
    const outcomes = await Promise.all(lines.map((line) => options.publish(line)));
    return outcomes.find((outcome) => outcome.kind !== 'accepted') ?? accepted(undefined);
  };
  return {
    refuseEvents(events) {
      const lines: EncodedLine[] = [];
      for (const event of events) {
        const envelope = event.origin.envelope.stream === 'rejected' ? rejectedAgain(event) : rejectedOnce(event);
        if (envelope !== undefined) lines.push(encodeLine(envelope));
        // The rejected stream's own archive has it; sending it round again would never end.
        else options.log('ERROR', 'a rejected row was refused twice; it is in the archive only', { request_id: event.origin.envelope.request_id, error: event.error });
      }
      return send(lines);
    },
    refuseMessage(message, error) {
      const { messageId, publishTimeMs } = message;
      return send([encodeLine(makeRejectedEnvelope({
        request: {
          request_id: messageId ?? sha256(message.data),
          received_timestamp: Math.round((publishTimeMs ?? options.clock()) * 1_000),
          stream: message.attributes?.stream ?? 'unknown',
          source: 'unknown',
          protocol: 'unknown',
          code_version: options.codeVersion,
          schema_version: 0,
          client: {},
        },
        stage: 'write-bigquery',
        errors: [error],
        raw: rawOf(message.data),
      }))]);
    },
  };
}

function rejectedOnce({ origin, index, error }: RefusedEvent): Envelope {
  const { batch, events } = origin.asSent;
  return makeRejectedEnvelope({
    request: requestOf(origin.envelope),
    stage: 'write-bigquery',
    errors: [error],
    ...(index < 0 ? {} : { index, event: events[index] }),
    batch: index < 0 ? batch : withoutEvents(batch),
  });
}

/** A row of the rejected stream that was refused: once more as plain bytes, which every table takes; after that not again. */
function rejectedAgain({ origin, error }: RefusedEvent): Envelope | undefined {
  const { envelope } = origin;
  const body = envelope.body as Partial<RejectedBody> | null;
  if (body?.rejected_stream === 'rejected') return undefined;
  return makeRejectedEnvelope({ request: requestOf(envelope), stage: 'write-bigquery', errors: [error], raw: rawOf(Buffer.from(JSON.stringify(envelope.body))) });
}

const requestOf = ({ body: _body, events: _events, rejected: _rejected, envelope: _version, body_encoding: _encoding, ...request }: Envelope): Omit<Envelope, 'body' | 'events' | 'rejected' | 'envelope'> => request;

function withoutEvents(batch: unknown): unknown {
  if (typeof batch !== 'object' || batch === null || Array.isArray(batch)) return batch;
  const { events: _events, write_key: _key, ...fields } = batch as Record<string, unknown>;
  return fields;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const rawOf = (bytes: Uint8Array): NonNullable<RejectedBody['raw']> =>
  ({ base64: Buffer.from(bytes.subarray(0, RAW_BYTES_MAX)).toString('base64'), sha256: sha256(bytes), bytes: bytes.length });
