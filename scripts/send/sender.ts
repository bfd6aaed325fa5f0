// Sends a plan of requests to a collector as well-behaved phones do: each phone in order, all phones at once, again and again until
// the collector has it, dropped only when the collector says that it never will. send.ts, the demo of `npm start` and tests call it.
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { PlannedRequest } from './phones.ts';

export type SendOptions = {
  collectorUrl: string;
  writeKey: string;
  /** Share (0 to 1) of the bodies that go as gzip. */
  gzipShare: number;
  /** At most so many events a second; absent: as fast as it goes. */
  eventsPerSecondMax?: number;
  /** After so many tries a phone keeps the rest for another day. */
  triesMax?: number;
  onProgress?: (tally: SendTally) => void;
};

export type SendTally = {
  requests: number;
  accepted: number;
  rejected: number;
  /** Rejected events by code, as the collector named them. */
  rejectedBy: Record<string, number>;
  /** Tries that were not the last, by status or error. */
  again: Record<string, number>;
  /** Events of requests that the collector will never take (4xx), by status. */
  dropped: Record<string, number>;
  /** Events that the phones still have. */
  kept: number;
  /** Requests whose answer named other events than the plan: a defect of one side. */
  surprises: string[];
};

type Answer = { status: number; retryAfterMs: number | undefined; text: string };

/** Statuses after which the same bytes will never pass: a phone deletes them. Every other one, and any network error, means keep. */
const DELETE = new Set([400, 401, 403, 404, 405, 410, 413, 414, 415, 422]);
const TRIES_MAX = 20;
const BACKOFF_MS = 200;
const BACKOFF_MS_MAX = 15_000;
const ANSWER_MS_MAX = 30_000;
const gzipAsync = promisify(gzip);

export async function sendPlan(plan: { requests: readonly PlannedRequest[] }, options: SendOptions): Promise<SendTally> {
  const tally: SendTally = { requests: 0, accepted: 0, rejected: 0, rejectedBy: {}, again: {}, dropped: {}, kept: 0, surprises: [] };
  const startedAt = performance.now();
  let eventsBegun = 0;
  const sendOne = async (request: PlannedRequest, number: number): Promise<boolean> => {
    if (options.eventsPerSecondMax !== undefined) await sleep(Math.max(0, (eventsBegun / options.eventsPerSecondMax) * 1_000 - (performance.now() - startedAt)));
    eventsBegun += request.events;
    const isOver = await sendUntilTaken(request, isGzipped(number, options.gzipShare), options, tally);
    options.onProgress?.(tally);
    return isOver;
  };
  const byPhone = Map.groupBy(plan.requests.map((request, number) => ({ request, number })), ({ request }) => request.phone);
  await Promise.all([...byPhone.values()].map(async (requests) => {
    let canSend = true;
    for (const { request, number } of requests) {
      if (canSend) canSend = await sendOne(request, number);
      else tally.kept += request.events;
    }
  }));
  return tally;
}

/** Spread evenly over the plan, the same in every run. */
const isGzipped = (number: number, share: number): boolean => Math.floor((number + 1) * share) > Math.floor(number * share);

/** False: the collector could not be made to take it, so this phone stops. */
async function sendUntilTaken(request: PlannedRequest, asGzip: boolean, options: SendOptions, tally: SendTally): Promise<boolean> {
  const bytes = asGzip ? await gzipAsync(request.body) : Buffer.from(request.body);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await post(bytes, asGzip, options).catch((error: unknown) => causeOf(error));
    if (typeof answer !== 'string') {
      if (answer.status === 200) {
        take(request, answer.text, tally);
        return true;
      }
      if (DELETE.has(answer.status)) {
        count(tally.dropped, String(answer.status), request.events);
        tally.surprises.push(`${answer.status}: ${answer.text.slice(0, 200)}`);
        return true;
      }
    }
    if (attempt >= (options.triesMax ?? TRIES_MAX)) {
      tally.kept += request.events;
      return false;
    }
    count(tally.again, typeof answer === 'string' ? answer : String(answer.status), 1);
    const backoffMs = Math.min(BACKOFF_MS * 2 ** (attempt - 1), BACKOFF_MS_MAX) * (0.5 + Math.random());
    await sleep(typeof answer === 'string' ? backoffMs : Math.max(backoffMs, answer.retryAfterMs ?? 0));
  }
}

async function post(bytes: Buffer, asGzip: boolean, { collectorUrl, writeKey }: SendOptions): Promise<Answer> {
  const response = await fetch(`${collectorUrl}/v1/events`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${writeKey}`, 'content-type': 'application/json', ...(asGzip ? { 'content-encoding': 'gzip' } : {}) },
    body: new Uint8Array(bytes),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
  return { status: response.status, retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined, text: await response.text() };
}

function take(request: PlannedRequest, text: string, tally: SendTally): void {
  const { accepted, rejected } = JSON.parse(text) as { accepted: number; rejected: { index: number; code: string; message: string }[] };
  const first = new Map<number, string>();
  for (const { index, code } of rejected) if (!first.has(index)) first.set(index, code);
  tally.requests += 1;
  tally.accepted += accepted;
  tally.rejected += first.size;
  for (const code of first.values()) count(tally.rejectedBy, code, 1);
  const indexes = [...first.keys()].sort((a, b) => a - b);
  if (indexes.join() !== request.bad.join() || accepted !== request.events - request.bad.length) {
    tally.surprises.push(`expected events ${request.bad.join() || 'none'} of ${request.events} to be rejected, was told ${text.slice(0, 300)}`);
  }
}

function causeOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? (name === 'TimeoutError' ? 'no answer' : message);
}

function count(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by;
}
