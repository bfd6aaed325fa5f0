// Rejected events tried again: in go the files of the rejected stream, out go the events that are good by now (on their own stream,
// with the ids, time of receipt and request of the first time) and the ones that are still bad (rejected again, one attempt more).
// Called by run.ts.
import { ENVELOPE_VERSION } from '../envelope.ts';
import type { Envelope, RejectedBody } from '../envelope.ts';
import { encodeLine } from '../envelope-line.ts';
import { makeRejectedEnvelope } from '../publish/message.ts';
import { filesOf } from './files.ts';
import type { Replaying } from './raw.ts';
import type { HourRange } from './range.ts';
import { readLines } from './read-lines.ts';
import { judgeAgain } from './judge-again.ts';
import type { RejectedEvent } from './judge-again.ts';

/** After so many replays an event is set aside: what nobody could repair would go round for ever. */
export const ATTEMPTS_MAX = 5;

export type RejectedReplaying = Replaying & { lateDaysMax: number; dateByReceipt: boolean };

export async function replayRejected(stream: string, range: HourRange, replaying: RejectedReplaying): Promise<void> {
  const { counts, sender } = replaying;
  const byRequest = await collectRejected(stream, range, replaying);
  for (const [, events] of byRequest) {
    const tryable = events.filter((event) => event.body.attempt < ATTEMPTS_MAX && isTryable(event.body));
    counts.parked += events.length - tryable.length;
    if (tryable.length === 0) continue;
    const { good, stillBad } = judgeAgain(tryable, replaying);
    counts.requests += 1;
    counts.repaired += good === undefined ? 0 : good.events;
    counts.still_bad += stillBad.length;
    if (sender === undefined) continue;
    if (good !== undefined) await sender.send(stream, encodeLine(good.envelope), good.replayOf);
    for (const { event, errors } of stillBad) await sender.send('rejected', encodeLine(rejectedAgain(event, errors)), undefined);
  }
}

/**
 * All rejected events of the range that were meant for `stream`, by request: events of one request are judged together, since ids
 * of some protocols depend on their place among equals. Of several attempts the last one counts.
 */
async function collectRejected(stream: string, range: HourRange, { files, counts, onProgress }: RejectedReplaying): Promise<Map<string, RejectedEvent[]>> {
  const byId = new Map<string, RejectedEvent>();
  for await (const file of filesOf(files, 'rejected', range)) {
    const report = { unreadableLines: 0 } as { unreadableLines: number; problem?: string };
    for await (const { envelope } of readLines(files.open(file.name), report)) {
      const body = envelope.body as RejectedBody | null;
      if (body?.rejected_stream !== stream || typeof body.rejected_id !== 'string') continue;
      // The same event in two requests is two rejections: the id alone does not say which request it was in.
      const key = `${envelope.request_id} ${body.rejected_id}`;
      const known = byId.get(key);
      if (known !== undefined) counts.repeated += 1;
      if (known === undefined || known.body.attempt < body.attempt) byId.set(key, { envelope, body, file: file.base });
    }
    counts.files += 1;
    counts.unreadable += report.unreadableLines + (report.problem === undefined ? 0 : 1);
    onProgress(file.name);
  }
  counts.events = byId.size;
  return Map.groupBy(byId.values(), ({ envelope }) => envelope.request_id);
}

/** Without an event nothing can be tried; numbers that JSON.parse could not keep are not in the file any more. */
const isTryable = ({ event, index, errors }: RejectedBody): boolean =>
  event !== undefined && index !== undefined && !errors.some(({ code }) => code === 'unsafe_integer' || code === 'non_finite_number');

function rejectedAgain({ envelope, body }: RejectedEvent, errors: RejectedBody['errors']): Envelope {
  const { body: _body, events: _events, rejected: _rejected, envelope: _version, ...request } = envelope;
  const again = makeRejectedEnvelope({
    request: { ...request, stream: body.rejected_stream },
    stage: 'replay',
    errors,
    attempt: body.attempt + 1,
    ...(body.index === undefined ? {} : { index: body.index }),
    ...(body.batch === undefined ? {} : { batch: body.batch }),
    ...(body.event === undefined ? {} : { event: body.event }),
  });
  return { ...again, envelope: ENVELOPE_VERSION, body: { ...(again.body as RejectedBody), rejected_id: body.rejected_id } };
}
