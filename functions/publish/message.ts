// Envelope lines in, Pub/Sub messages out: one gzip stream of newline-delimited JSON, many requests to a message.
// Called by `collect`, by the writers (rows that BigQuery refused) and by `replay`.
import { ENVELOPE_VERSION, type Envelope, type MessageAttributes, type RejectedBody } from '../envelope.ts';
import type { EncodedLine, LineChunk } from '../envelope-line.ts';
import type { IngestError } from '../errors.ts';
import { hashedId } from '../event-id.ts';
import { gzipMember } from './gzip-member.ts';

export type Message = { data: Buffer; attributes: MessageAttributes };

/** Makes one message of the lines. `replay_of` is the id of the message whose lines are sent again. */
export async function packMessage(stream: string, lines: readonly EncodedLine[], replayOf?: string): Promise<Message> {
  const members: (Buffer | Uint8Array | Promise<Buffer>)[] = [];
  let plain: Uint8Array[] = [];
  const closePlain = (): void => {
    if (plain.length > 0) members.push(gzipMember(plain.length === 1 ? plain[0]! : Buffer.concat(plain)));
    plain = [];
  };
  let accepted = 0;
  let rejected = 0;
  for (const line of lines) {
    for (const chunk of line.chunks) addChunk(chunk);
    accepted += line.accepted;
    rejected += line.rejected;
  }
  closePlain();
  const attributes: MessageAttributes = { stream, envelope: String(ENVELOPE_VERSION), events: String(accepted), rejected: String(rejected), encoding: 'gzip' };
  if (replayOf !== undefined) attributes.replay_of = replayOf;
  return { data: Buffer.concat(await Promise.all(members)), attributes };

  function addChunk(chunk: LineChunk): void {
    if (!chunk.isGzip) return void plain.push(chunk.bytes);
    closePlain();
    members.push(chunk.bytes);
  }
}

/** What is known of a refused event. */
export type Refusal = {
  /** The envelope it came in (its body is not used), or what the collector knows of the request. */
  request: Omit<Envelope, 'body' | 'events' | 'rejected' | 'envelope'>;
  /** Where it was refused. */
  stage: 'collect' | 'write-bigquery' | 'write-storage' | 'replay';
  errors: readonly IngestError[];
  index?: number;
  batch?: unknown;
  event?: unknown;
  raw?: RejectedBody['raw'];
  /** How often the event came back from a replay. */
  attempt?: number;
};

/** The envelope for the `rejected` topic. Its id depends on source, event as sent and index only, so a redelivered one is one row. */
export function makeRejectedEnvelope(refusal: Refusal): Envelope {
  const { request, stage, errors, index, batch, event, raw } = refusal;
  const body: RejectedBody = {
    rejected_id: hashedId(request.source, raw === undefined ? JSON.stringify(event ?? batch ?? null) : raw.sha256, index ?? -1),
    rejected_stream: request.stream,
    stage,
    errors: [...errors],
    ...(index === undefined ? {} : { index }),
    ...(batch === undefined ? {} : { batch }),
    ...(event === undefined ? {} : { event }),
    ...(raw === undefined ? {} : { raw }),
    attempt: refusal.attempt ?? 0,
  };
  return { ...request, stream: 'rejected', envelope: ENVELOPE_VERSION, events: 1, rejected: [], body };
}
