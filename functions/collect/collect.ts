// The collector: an HTTP request in, envelope lines on the topics out, and an answer that says 200 only after Pub/Sub did.
// Everything it uses is passed in by function.ts. The steps stand here in their order; each is a file beside this one.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { microsOf, type Clock } from '../clock.ts';
import { ERRORS, ingestError, type ErrorCode, type IngestError } from '../errors.ts';
import { severityOf, type Log, type Severity } from '../log.ts';
import { LIMITS } from '../limits.ts';
import type { Metrics } from '../metrics.ts';
import { accepted, rejected, type Outcome } from '../outcome.ts';
import type { EncodedLine } from '../envelope-line.ts';
import type { Published, Publisher } from '../publish/publisher.ts';
import { validateBatch, type Verdict } from '../validate/validate-batch.ts';
import type { CollectedStream } from '../validate/validators.ts';
import type { Admission } from './admission.ts';
import { checkSource } from './check-source.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { decodeBody } from './decode-body.ts';
import type { Drain } from './drain.ts';
import { batchLines, clientFacts, unreadableLine, type Received } from './make-lines.ts';
import { parseBody, parseLines, type ParsedBody } from './parse-body.ts';
import type { MappedBatch } from './protocols/protocol.ts';
import type { BodyOrError, BodyReader } from './read-body.ts';
import { readHead, splitUrl, type RequestHead } from './read-head.ts';
import { respond, respondError, respondPreflight, respondText, type Headers } from './respond.ts';
import { routeAt, type Route } from './routes.ts';
import type { LiveSource, SourceList, SourceStore } from './sources.ts';

export type CollectorParts = {
  sources: SourceStore;
  publishers: Record<CollectedStream | 'rejected', Publisher>;
  /** Whether the breaker before that topic is open. */
  isPublishOpen: (stream: CollectedStream | 'rejected') => boolean;
  admission: Admission;
  drain: Drain;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  codeVersion: string;
  lateDaysMax: number;
  readBody: BodyReader;
  /** Header in which the load balancer says country, region and city of the client; '' when there is none. */
  geoHeader: string;
  /** The answer of a debug route, which stores nothing. */
  explain: (batch: JudgedBatch, received: Received) => unknown;
};

export type JudgedBatch = { mapped: MappedBatch; verdict: Verdict; route: Route };

/** What a step leaves: nothing more to do, or a callback that will come. */
type Step = 'goes on' | undefined;

/** One request on its way through the steps. */
type Exchange = { request: IncomingMessage; response: ServerResponse; route: Route; head: RequestHead; list: SourceList; cors: Headers; requestId: string; source: LiveSource | undefined };

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What is to be published for a request, and what is answered when Pub/Sub took all of it. No more: it lives until then, and what lives long is dear. */
type Pending = { lines: Line[]; accepted: number; rejected: number; answer: string | IngestError; cors: Headers };
type Line = { stream: CollectedStream | 'rejected'; line: EncodedLine };

const TELL_EVERY_MS = 1_000;

export function createCollector(parts: CollectorParts): Handler {
  const toldAt = new Map<ErrorCode, number>();
  // Three synchronous steps with two waits between them, for the body and for Pub/Sub. Callbacks, since a dozen promises a request
  // cost more than a small batch, and since nothing of a step but what the next one needs may live on while it waits.
  return (request, response) => {
    if (parts.drain.enter(response)) return step(response, 0, () => refuse(response, ingestError('shutting_down'), { connection: 'close' }));
    const list = parts.sources.fresh();
    if (list !== undefined) begin(request, response, list);
    else parts.sources.current().then((read) => begin(request, response, read), (error: unknown) => step(response, 0, () => { throw error; }));
  };

  function begin(request: IncomingMessage, response: ServerResponse, list: SourceList | IngestError): void {
    step(response, 0, () => {
      const exchange = open(request, response, list);
      if (exchange === undefined) return undefined;
      parts.drain.reading(response);
      parts.readBody(request, (body) => step(response, exchange.head.bodyBytesMax, () => finish(exchange, body)));
      return 'goes on';
    });
  }

  function finish(exchange: Exchange, body: BodyOrError): Step {
    const { response, head, cors } = exchange;
    parts.drain.read(response);
    if (body === undefined || response.headersSent) return undefined; // gone, or answered while the body came: the instance is stopping
    if (!Buffer.isBuffer(body)) return refuseUnread(response, body, cors);
    const pending = digest(exchange, body);
    if (pending === undefined) return undefined;
    publishAll(pending.lines, (failure) => step(response, head.bodyBytesMax, () => (failure === undefined ? answer(response, pending) : refuse(response, failure, cors))));
    return 'goes on';
  }

  /** Runs one step of a request. A bug in it is that request's only, and its client keeps its events. */
  function step(response: ServerResponse, takenBytes: number, work: () => Step): void {
    let result: Step;
    try {
      result = work();
    } catch (error) {
      parts.log('ERROR', 'A request failed for a reason nobody thought of.', { error });
      refuse(response, ingestError('invariant_broken', { what: 'see the log' }));
    }
    if (result === 'goes on') return;
    if (takenBytes > 0) parts.admission.release(takenBytes);
    parts.drain.leave(response);
  }

  /** All that can be judged before the body, from cheap to dear. Undefined: it was answered. Else its bytes are taken from the budget. */
  function open(request: IncomingMessage, response: ServerResponse, list: SourceList | IngestError): Exchange | undefined {
    const url = request.url ?? '/';
    if (url.length > LIMITS.urlBytesMax) return refuse(response, ingestError('url_too_long', LIMITS));
    const { path, search } = splitUrl(url);
    const route = routeAt(path);
    if (route === undefined) return refuse(response, ingestError('no_route', { path: path.slice(0, 100) }));
    const { origin } = request.headers;
    if (request.method === 'OPTIONS') {
      return respondPreflight(response, 'code' in list ? {} : preflightHeaders(origin, list.origins, route.allowsCredentials, request.headers['access-control-request-headers']));
    }
    if (request.method !== 'POST') {
      return refuse(response, ingestError('method_not_allowed', { method: request.method ?? '', allow: 'POST' }), { allow: 'POST, OPTIONS' });
    }
    if ('code' in list) return refuseUnread(response, list, {});
    const cors = corsHeaders(origin, list.origins, route.allowsCredentials);
    const head = readHead(request, route, search);
    if (head.kind !== 'accepted') return refuseUnread(response, head.error, cors);
    const source = head.value.key === undefined ? undefined : checkSource(list, head.value.key, route.stream, origin);
    if (source !== undefined && source.kind !== 'accepted') return refuseUnread(response, source.error, cors, source.kind === 'retry' ? source.afterMs : undefined);
    const isBlocked = parts.isPublishOpen(route.stream) || parts.isPublishOpen('rejected');
    const refusal = isBlocked ? ingestError('publish_unavailable', { reason: 'it failed too often lately' }) : parts.admission.take(head.value.bodyBytesMax);
    if (refusal !== undefined) return refuseUnread(response, refusal, cors);
    return { request, response, route, head: head.value, list, cors, requestId: randomUUID(), source: source?.value };
  }

  /** The body's bytes -> what to publish. Undefined: it was answered. */
  function digest(exchange: Exchange, bytes: Buffer): Pending | undefined {
    const { head, route, list, response, requestId, request, cors } = exchange;
    const parsed = parse(bytes, head, requestId);
    const checked = exchange.source !== undefined ? accepted(exchange.source) : checkSource(list, bodyKey(parsed), route.stream, head.origin);
    if (checked.kind !== 'accepted') {
      // Without a valid key nothing is stored; a body that cannot be read has no key to find, so its own fault is told.
      return refuse(response, parsed.kind === 'accepted' ? checked.error : parsed.error, cors, checked.kind === 'retry' ? checked.afterMs : undefined);
    }
    const received = receivedFrom(request, requestId, checked.value, route, head);
    const batch = parsed.kind === 'accepted' ? judge(parsed.value, received, head) : parsed;
    if (batch.kind !== 'accepted') {
      // Its first bytes are stored before the sender is told to drop it.
      const lines: Line[] = route.isDebug ? [] : [{ stream: 'rejected', line: unreadableLine(bytes, batch.error, received) }];
      return { lines, accepted: 0, rejected: 0, answer: batch.error, cors };
    }
    return store(exchange, batch.value, received);
  }

  function receivedFrom(request: IncomingMessage, requestId: string, source: LiveSource, route: Route, head: RequestHead): Received {
    const receivedMicros = microsOf(parts.clock());
    const client = clientFacts(source, {
      userAgent: request.headers['user-agent'], geo: parts.geoHeader === '' ? undefined : request.headers[parts.geoHeader], query: head.query,
    });
    return { requestId, receivedMicros, source, route, codeVersion: parts.codeVersion, facts: { requestId, receivedTimestamp: receivedMicros, source: source.id, client } };
  }

  /** The verdict on a readable body, or why it is no batch. */
  function judge(parsed: ParsedBody, received: Received, head: RequestHead): Outcome<JudgedBatch & { parsed: ParsedBody }> {
    const { route, facts } = received;
    const isBatch = route.protocol.isBatch(parsed.value) && (head.isNewlineDelimited || !Array.isArray(parsed.value));
    // Where the batch itself was cut out, the reason for that says more.
    if (!isBatch) return rejected([...parsed.cutEvents.values()][0]?.error ?? ingestError('not_a_batch'));
    const mapped = route.protocol.toBatch(parsed.value, facts);
    const count = mapped.events.length;
    if (count > LIMITS.eventsPerRequestMax) return rejected(ingestError('batch_too_large', { events: count, eventsPerRequestMax: LIMITS.eventsPerRequestMax }));
    const { marks } = parsed;
    const verdict = validateBatch({
      stream: route.stream, batch: mapped.batch, events: mapped.events,
      asSent: marks.hasUnsafeInteger ? route.protocol.toBatch(parsed.valueWithUnsafe(), facts).asSent : mapped.asSent,
      isMarked: marks.hasOddKey || marks.hasNul || marks.hasUnsafeInteger || marks.hasExponent,
      largestEventBytes: parsed.largestEventBytes, cutEvents: parsed.cutEvents,
      receivedMicros: received.receivedMicros, lateDaysMax: parts.lateDaysMax,
    });
    const mergedBytes = parsed.body.inflatedBytes + count * verdict.batchFieldBytes;
    if (!verdict.isBatchTooLarge && mergedBytes > LIMITS.messageMergedBytesMax) return rejected(ingestError('merged_too_large', { bytes: mergedBytes, ...LIMITS }));
    return accepted({ parsed, mapped, verdict, route });
  }

  /** The lines of a readable body, and its answer. */
  function store(exchange: Exchange, batch: JudgedBatch & { parsed: ParsedBody }, received: Received): Pending | undefined {
    const { response, route, head } = exchange;
    const { source } = received;
    const cors = head.origin === undefined ? exchange.cors : corsHeaders(head.origin, source.origins, route.allowsCredentials);
    if (route.isDebug) return respond(response, 200, parts.explain(batch, received), cors);
    const count = batch.mapped.events.length;
    source.rate?.take(count);
    const { events, rejected: refused } = batchLines(batch.parsed, batch.mapped, batch.verdict, received);
    const rejectedCount = batch.verdict.rejected.size;
    const entries = rejectedCount === 0 ? '[]' : JSON.stringify([...batch.verdict.rejected].map(answerFor));
    const lines: Line[] = [{ stream: route.stream, line: events }];
    for (const line of refused) lines.push({ stream: 'rejected', line });
    return { lines, accepted: count - rejectedCount, rejected: rejectedCount, answer: `{"accepted":${count - rejectedCount},"rejected":${entries}}`, cors };
  }

  /** Calls back once: with the first failure, or with nothing when every line was acknowledged. */
  function publishAll(lines: readonly Line[], done: (failure?: IngestError) => void): void {
    let open = lines.length;
    let first: IngestError | undefined;
    const settle = (outcome: Published): void => {
      if (outcome.kind !== 'accepted') first ??= outcome.error;
      if (--open === 0) done(first);
    };
    const fail = (error: unknown): void => {
      parts.log('ERROR', 'A message could not be made.', { error });
      settle(rejected(ingestError('invariant_broken', { what: 'see the log' })));
    };
    if (open === 0) done();
    for (const { stream, line } of lines) parts.publishers[stream].add(line, settle, fail);
  }

  /** The answer to a request whose every line is stored. */
  function answer(response: ServerResponse, pending: Pending): undefined {
    if (typeof pending.answer !== 'string') return refuse(response, pending.answer, pending.cors);
    const { metrics } = parts;
    metrics.count('requests_stored');
    metrics.count('events_accepted', pending.accepted);
    if (pending.rejected > 0) metrics.count('events_rejected', pending.rejected);
    return respondText(response, 200, pending.answer, pending.cors);
  }

  /** An instance in trouble refuses thousands of requests a second: one line a second says so, the counters say how many. */
  function tellOnce({ code, message }: IngestError, severity: Severity): void {
    const now = performance.now();
    if (now - (toldAt.get(code) ?? -Infinity) < TELL_EVERY_MS) return;
    toldAt.set(code, now);
    parts.log(severity, 'A request was refused.', { code, reason: message });
  }

  /** The body was not read, so the connection cannot serve another request. */
  function refuseUnread(response: ServerResponse, error: IngestError, headers: Headers, afterMs?: number): undefined {
    return refuse(response, error, { ...headers, connection: 'close' }, afterMs);
  }

  function refuse(response: ServerResponse, error: IngestError, headers: Headers = {}, afterMs?: number): undefined {
    const { fault, status } = ERRORS[error.code];
    parts.metrics.count(`refused_${error.code}`);
    if (status >= 500) tellOnce(error, severityOf[fault]);
    respondError(response, error, headers, afterMs === undefined ? undefined : Math.ceil(afterMs / 1_000));
  }
}

function parse(bytes: Buffer, head: RequestHead, requestId: string): Outcome<ParsedBody> {
  const decoded = decodeBody(bytes, head.claimsGzip);
  if (decoded.kind !== 'accepted') return decoded;
  return head.isNewlineDelimited ? parseLines(decoded.value, requestId) : parseBody(decoded.value, requestId);
}

/** `write_key` of a body that could be parsed. */
function bodyKey(parsed: Outcome<ParsedBody>): string | undefined {
  const value = parsed.kind === 'accepted' ? parsed.value.value : undefined;
  const key = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as { write_key?: unknown }).write_key : undefined;
  return typeof key === 'string' && key !== '' ? key : undefined;
}

/** One entry an event: its first problem, and all of them when there are more. */
function answerFor([index, errors]: [number, readonly IngestError[]]): unknown {
  return { index, ...errors[0]!, ...(errors.length > 1 ? { errors } : {}) };
}
