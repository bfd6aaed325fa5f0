// The traffic of `npm run prove`, made from a seed: which events exist, which are late or bad, how they are packed into
// requests, and which requests repeat events that were sent before. Pure; scripts/prove.ts sends it.
import { gzipSync } from 'node:zlib';
import { seededRandom, type Random } from '../send/random.ts';

export type PlannedRequest = {
  /** The body as text, before any compression; one line. */
  text: string;
  /** What goes over the wire. */
  bytes: Buffer;
  gzip: boolean;
  events: number;
  /** Indexes that the collector must reject. */
  bad: number[];
};

export type Traffic = {
  requests: PlannedRequest[];
  /** event_id of every good event, once. */
  good: Set<string>;
  /** event_id of every bad event, once. */
  bad: Set<string>;
  /** Event dates (YYYYMMDD, UTC) that occur, ascending. */
  dates: string[];
  sent: number;
  duplicates: number;
  late: number;
};

type PlannedEvent = { id: string; json: string; bad: boolean; date: string };

const NAMES = ['screen_view', 'session_start', 'user_engagement', 'select_content', 'add_to_cart', 'purchase'];
const BATCH_SIZES = [1, 5, 20, 50, 100, 200];
const DAY_MS = 86_400_000;

/** Ways in which an event can be bad while its event_id stays readable; each must be rejected, alone. */
const DAMAGES: ((event: Record<string, unknown>) => void)[] = [
  (event) => { event['event_name'] = 'not a name'; },
  (event) => { delete event['event_name']; },
  (event) => { event['event_timestamp'] = 'yesterday'; },
  (event) => { event['no_such_field'] = 1; },
  (event) => { event['event_params'] = { text: 'x'.repeat(5_000) }; },
  (event) => { event['items'] = 'socks'; },
  (event) => { event['event_timestamp'] = Number(event['event_timestamp']) + 20 * 86_400_000_000; },
  (event) => { event['event_timestamp'] = Number(event['event_timestamp']) - 60 * 86_400_000_000; },
];

function makeEvent(random: Random, nowMs: number, number: number, share: Shares): PlannedEvent {
  const id = random.uuid();
  const isLate = random.next() < share.late;
  // On-time events are of the last hours of the same UTC day; late ones of days that have closed.
  const ms = isLate ? nowMs - Math.floor((2 + random.next() * 5) * DAY_MS) : nowMs - Math.floor(random.next() * 6 * 3_600_000);
  const name = NAMES[Math.floor(random.next() * NAMES.length)]!;
  const event: Record<string, unknown> = {
    event_id: id, event_name: name, event_timestamp: ms * 1_000 + Math.floor(random.next() * 1_000),
    event_params: { ga_session_id: Math.floor(ms / 1_800_000) * 1_800, number, engagement_time_msec: Math.floor(random.next() * 60_000), firebase_screen: `Screen ${Math.floor(random.next() * 20)} é日` },
  };
  if (name === 'purchase') {
    event['ecommerce'] = { transaction_id: `t${number}`, purchase_revenue: Math.floor(random.next() * 10_000) / 100 };
    event['items'] = [{ item_id: `sku${number % 50}`, price: 12.5, quantity: 1 + (number % 3) }];
  }
  const bad = random.next() < share.bad;
  if (bad) DAMAGES[number % DAMAGES.length]!(event);
  return { id, json: JSON.stringify(event), bad, date: new Date(ms).toISOString().slice(0, 10).replaceAll('-', '') };
}

export type Shares = { duplicates: number; late: number; bad: number };

/** Plans `total` events (duplicates among them), packed into requests of 1 to 200 events, half of them gzipped. */
export function planTraffic(total: number, nowMs: number, seed: number, shares: Shares = { duplicates: 0.1, late: 0.05, bad: 0.01 }): Traffic {
  const random = seededRandom(seed);
  const events: PlannedEvent[] = [];
  const traffic: Traffic = { requests: [], good: new Set(), bad: new Set(), dates: [], sent: 0, duplicates: 0, late: 0 };
  const dates = new Set<string>();
  const today = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
  while (traffic.sent < total) {
    const size = Math.min(BATCH_SIZES[Math.floor(random.next() * BATCH_SIZES.length)]!, total - traffic.sent);
    const batch: PlannedEvent[] = [];
    for (let i = 0; i < size; i += 1) {
      if (events.length > 0 && random.next() < shares.duplicates) {
        // A client that sends again after it missed the answer: the same bytes, in a later request.
        batch.push(events[Math.floor(random.next() * events.length)]!);
        traffic.duplicates += 1;
        continue;
      }
      const event = makeEvent(random, nowMs, events.length, shares);
      events.push(event);
      batch.push(event);
      (event.bad ? traffic.bad : traffic.good).add(event.id);
      if (!event.bad) dates.add(event.date);
      if (event.date !== today) traffic.late += 1;
    }
    const user = Math.floor(random.next() * 500);
    const text = `{"sent_timestamp":${nowMs * 1_000},"user_pseudo_id":"phone-${user}","platform":"ANDROID","app_info":{"id":"com.example","version":"1.2"},"events":[${batch.map(({ json }) => json).join(',')}]}`;
    const gzip = random.next() < 0.5;
    traffic.requests.push({ text, bytes: gzip ? gzipSync(text) : Buffer.from(text), gzip, events: size, bad: batch.flatMap((event, index) => (event.bad ? [index] : [])) });
    traffic.sent += size;
  }
  traffic.dates = [...dates].sort();
  return traffic;
}
