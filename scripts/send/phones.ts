// A dozen pretend phones as a plan: every request in the order of sending, body texts included, from a seed. Pure; sender.ts sends it.
// Some phones were offline and send it all at once, some requests are sent again because their answer got lost, some events are bad.
import { seededRandom, type Random } from './random.ts';
import { makePhone, makeSession, type Phone } from './session.ts';

export type PhonesWanted = {
  phones: number;
  /** Distinct events; what is sent again comes on top. */
  events: number;
  /** Of the requests: sent again, byte by byte. */
  duplicatesPercent: number;
  /** Of the events: broken in one of several ways. */
  badPercent: number;
  /** Of the events: so old that their day has closed. */
  latePercent: number;
  seed: number;
  /** The clock of the phones, milliseconds since 1970. */
  nowMs: number;
};

export type PlannedRequest = {
  phone: number;
  /** The JSON text, the same each time it is sent. */
  body: string;
  events: number;
  /** Indexes of the events that the collector must reject. */
  bad: number[];
  /** It was sent before: its answer is taken to be lost. */
  isRepeat: boolean;
};

export type PhonePlan = { requests: PlannedRequest[]; events: number; bad: number; late: number; repeats: number; /** Ids of the good events. */ ids: string[] };

type Event = Record<string, unknown>;
/** What a phone sends in one go, before it is cut into requests. */
type Flush = { phone: number; atMs: number; events: Event[] };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Events of ordinary sessions are at most this old. */
const RECENT_MS = 90 * MINUTE_MS;
/** From this age on an event's day has closed in any case: the day's last midnight was at most 24 h later, and it closed 2 h after that. */
const CLOSED_AFTER_MS = 27 * HOUR_MS;
/** As SDKs do it: so many events a request, more when a queue has built up. */
const LIVE_BATCH = 20;
const OFFLINE_BATCH = 200;

export function planPhones(wanted: PhonesWanted): PhonePlan {
  const random = seededRandom(wanted.seed);
  const phones = Array.from({ length: wanted.phones }, (_, number) => makePhone(random, number));
  const lateWanted = Math.round((wanted.events * wanted.latePercent) / 100);
  const late = flushesOf(random, phones, lateWanted, () => wanted.nowMs - CLOSED_AFTER_MS - random.index(20 * HOUR_MS), wanted.nowMs);
  const recent = flushesOf(random, phones, wanted.events - lateWanted, () => wanted.nowMs - 5 * MINUTE_MS - random.index(RECENT_MS), wanted.nowMs);
  const spoil = createSpoiler(random, wanted);
  const plan: PhonePlan = { requests: [], events: wanted.events, bad: 0, late: lateWanted, repeats: 0, ids: [] };
  for (const flush of [...recent, ...late].sort((a, b) => a.atMs - b.atMs)) {
    const size = flush.events.length > LIVE_BATCH * 3 ? OFFLINE_BATCH : LIVE_BATCH;
    for (let at = 0; at < flush.events.length; at += size) {
      const request = requestOf(flush, phones[flush.phone]!, flush.events.slice(at, at + size), spoil, plan, wanted.nowMs);
      plan.requests.push(request);
      if (random.isOneIn(wanted.duplicatesPercent)) {
        plan.requests.push({ ...request, isRepeat: true });
        plan.repeats += 1;
      }
    }
  }
  return plan;
}

/** Sessions until there are `events` events. A quarter of the phones was offline: theirs all come at the end, when they are back. */
function flushesOf(random: Random, phones: Phone[], events: number, startOf: () => number, nowMs: number): Flush[] {
  const flushes: Flush[] = [];
  const queues = new Map<number, Flush>();
  for (let left = events; left > 0;) {
    const phone = random.index(phones.length);
    const startMs = startOf();
    const session = makeSession(random, phones[phone]!, startMs, left) as Event[];
    left -= session.length;
    const isOffline = phone % 4 === 3 || nowMs - startMs > RECENT_MS + 5 * MINUTE_MS;
    const queue = queues.get(phone);
    if (!isOffline) flushes.push({ phone, atMs: startMs + MINUTE_MS, events: session });
    else if (queue === undefined) queues.set(phone, { phone, atMs: nowMs, events: session });
    else queue.events.push(...session);
  }
  return [...flushes, ...queues.values()];
}

function requestOf(flush: Flush, phone: Phone, events: Event[], spoil: (event: Event) => Event | undefined, plan: PhonePlan, nowMs: number): PlannedRequest {
  const bad: number[] = [];
  const sent = events.map((event, index) => {
    const spoiled = spoil(event);
    if (spoiled === undefined) plan.ids.push(event['event_id'] as string);
    else bad.push(index);
    return spoiled ?? event;
  });
  plan.bad += bad.length;
  const body = JSON.stringify({ sent_timestamp: Math.floor(nowMs) * 1_000, ...phone.batch, events: sent });
  return { phone: flush.phone, body, events: sent.length, bad, isRepeat: false };
}

/** Ways in which apps really get it wrong. */
const SPOILERS: readonly ((event: Event, nowMs: number) => Event)[] = [
  (event) => ({ ...event, event_name: '2nd_screen' }),
  (event) => ({ ...event, event_name: `view ${String(event['event_name'])}` }),
  ({ event_id: _missing, ...event }) => event,
  (event) => ({ ...event, event_timestamp: new Date(Number(event['event_timestamp']) / 1_000).toISOString() }),
  (event) => ({ ...event, event_params: { ...(event['event_params'] as object), note: 'x'.repeat(5_000) } }),
  (event) => ({ ...event, screen: 'Home' }),
  (event, nowMs) => ({ ...event, event_timestamp: (Math.floor(nowMs) + 48 * HOUR_MS) * 1_000 }),
];

function createSpoiler(random: Random, { events, badPercent, nowMs }: PhonesWanted): (event: Event) => Event | undefined {
  let left = Math.round((events * badPercent) / 100);
  let seen = 0;
  return (event) => {
    // Exactly as many as wanted, evenly likely for every event.
    const isBad = random.next() * (events - seen) < left;
    seen += 1;
    if (!isBad) return undefined;
    left -= 1;
    return random.pick(SPOILERS)(event, nowMs);
  };
}
