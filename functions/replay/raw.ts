// The archive of a stream sent again: in go its files, out go the same envelope lines, byte for byte, with `replay_of`. Called by run.ts.
// A request is counted once, also where an hour was joined and its single messages are still there.
import type { EncodedLine } from '../envelope-line.ts';
import type { StoredLine } from './read-lines.ts';
import { readLines } from './read-lines.ts';
import { filesOf } from './files.ts';
import type { Files } from './files.ts';
import type { MessageSender } from './message-sender.ts';
import type { HourRange } from './range.ts';

export type Counts = {
  files: number;
  requests: number;
  events: number;
  /** Requests that were met before in the same hour. */
  repeated: number;
  unreadable: number;
  /** Rejected events that are good now, still bad, and set aside (their attempts are used up, or nothing could change). */
  repaired: number;
  still_bad: number;
  parked: number;
};
export const noCounts = (): Counts => ({ files: 0, requests: 0, events: 0, repeated: 0, unreadable: 0, repaired: 0, still_bad: 0, parked: 0 });

export type Replaying = {
  files: Files;
  /** Absent in a dry run. */
  sender: MessageSender | undefined;
  counts: Counts;
  onProgress: (file: string) => void;
};

export async function replayRaw(stream: string, range: HourRange, { files, sender, counts, onProgress }: Replaying): Promise<void> {
  let hour = '';
  let seen = new Set<string>();
  for await (const file of filesOf(files, stream, range)) {
    const ofFile = `${file.dt}T${file.hour}`;
    // Joined and single files of one request lie in the same hour, so memory never holds more than an hour of ids.
    if (ofFile !== hour) seen = new Set();
    hour = ofFile;
    const report = { unreadableLines: 0 } as { unreadableLines: number; problem?: string };
    for await (const line of readLines(files.open(file.name), report)) {
      if (seen.has(line.envelope.request_id)) {
        counts.repeated += 1;
        continue;
      }
      seen.add(line.envelope.request_id);
      counts.requests += 1;
      counts.events += line.envelope.events - line.envelope.rejected.length;
      await sender?.send(stream, lineAsStored(line), file.base);
    }
    counts.files += 1;
    counts.unreadable += report.unreadableLines + (report.problem === undefined ? 0 : 1);
    onProgress(file.name);
  }
}

function lineAsStored({ text, envelope }: StoredLine): EncodedLine {
  const bytes = Buffer.from(`${text}\n`);
  return {
    chunks: [{ bytes, isGzip: false }],
    bytes: bytes.length,
    mergedBytes: bytes.length + envelope.events * batchFieldBytes(envelope.body),
    accepted: envelope.events - envelope.rejected.length,
    rejected: envelope.rejected.length,
  };
}

/** What each event of the body repeats when it becomes a row. */
function batchFieldBytes(body: unknown): number {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 0;
  return JSON.stringify({ ...body, events: undefined }).length;
}
