// One push request in, one answer out, for every subscriber: 204 acknowledges, 503 asks Pub/Sub for a redelivery. Called by the
// writers' function.ts. Pub/Sub reads nothing but the status.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS, ingestError } from './errors.ts';
import type { IngestError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { severityOf } from './log.ts';
import type { Log } from './log.ts';
import { retry } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { readRawBody } from './raw-body.ts';
import type { Stopping } from './stop.ts';

export type PushHandling = {
  work: (body: Buffer) => Promise<Outcome<unknown>>;
  log: Log;
  stopping: Stopping;
  /** Given by tests. */
  deadlineMs?: number;
};

/** Makes the handler. Never throws, never answers anything but 204, 405 and 503. */
export function createPushHandler({ work, log, stopping, deadlineMs = LIMITS.pushDeadlineMs }: PushHandling): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let bytesInFlight = 0;
  return async (request, response) => {
    stopping.watch();
    if (request.method !== 'POST') return end(response, 405);
    if (stopping.isStopping()) return refuse(ingestError('shutting_down'));
    const declaredBytes = Number(request.headers['content-length'] ?? 0);
    if (bytesInFlight + declaredBytes > LIMITS.inFlightBytesMax) return refuse(ingestError('overloaded', { reason: 'too many bytes in flight' }));
    bytesInFlight += declaredBytes;
    try {
      const body = await readRawBody(request, { bodyBytesMax: LIMITS.pushBytesMax, bodyTimeoutMs: LIMITS.bodyTimeoutMs });
      const outcome = body.kind === 'accepted' ? await inTime(work(body.value), deadlineMs) : body;
      if (outcome.kind === 'accepted') return end(response, 204);
      refuse(outcome.error);
    } catch (error) {
      log('ERROR', 'a push failed', { error });
      refuse(ingestError('invariant_broken', { what: (error as Error).message }), false);
    } finally {
      bytesInFlight -= declaredBytes;
    }

    function refuse(error: IngestError, tell = true): void {
      if (tell) log(severityOf[ERRORS[error.code].fault], 'a push was not acknowledged', { code: error.code, error: error.message });
      end(response, 503);
    }
  };
}

function end(response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  response.statusCode = status;
  response.end();
}

/** Pub/Sub gives up at the ack deadline and sends again anyway; the answer comes before, so that it is ours. */
async function inTime(work: Promise<Outcome<unknown>>, deadlineMs: number): Promise<Outcome<unknown>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome<unknown>>((resolve) => {
    timer = setTimeout(() => resolve(retry(ingestError('overloaded', { reason: `not done in ${deadlineMs} ms` }))), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
