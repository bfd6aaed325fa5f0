// Every limit of the flow: number, unit (last in the name), source and reason. Each is tested on both sides.
// A team changes the ones that name a setting; the rest follow from what Google's services accept.

const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  // --- one request
  /** As received. Cloud Functions would take 32 MB; a phone's batch has 40-500 KB (Segment, PostHog SDKs). */
  bodyBytesMax: 1 * MIB,
  /** After inflating. gzip reaches 1,028:1, so the cap is on what comes out, while it comes out. */
  inflatedBytesMax: 4 * MIB,
  /** Ours: bounds one answer's work; Segment allows 2,500, GA4 25. */
  eventsPerRequestMax: 1_000,
  /** Levels from the body's root. BigQuery allows 15 nested RECORDs. */
  depthMax: 16,
  /** Ours: keys in one event (and in the batch fields), counted before parsing, so that 200,000 keys never become an object. 100 parameters, 100 items with their fields. */
  keysPerEventMax: 8_000,
  /** Ours: bytes of any key inside a free-form value. Parameter names have nameLengthMax. */
  keyLengthMax: 256,
  /** Ours: time for a whole body to arrive. */
  bodyTimeoutMs: 20_000,
  /** Ours: how long the rest of a refused body is read and dropped, so that its sender sees the answer and not a reset. */
  lingerMsMax: 2_000,
  /** Ours: and how much of it. A body of a few megabytes is an SDK's mistake, more is somebody's load. */
  lingerBytesMax: 8 * MIB,
  /** Ours: longer URLs are refused before they are read further. */
  urlBytesMax: 4 * KIB,

  // --- one event
  /** After merging the batch fields; the row must stay far below BigQuery's 10 MB. */
  eventBytesMax: 64 * KIB,
  /** The batch fields multiply by the number of events. */
  batchFieldBytesMax: 16 * KIB,
  /** GA4: 25. */
  paramsPerEventMax: 100,
  /** GA4: 40 characters. */
  nameLengthMax: 40,
  /** GA4: 100 (500 on 360). Longer is rejected, never cut. */
  stringValueLengthMax: 4_096,
  /** Setting CHIPLOG_LATE_DAYS_MAX. Older events are stored as rejected with too_late. */
  lateDaysMax: 30,
  /** A clock this far ahead is wrong; such an event would sit in a table of the future. */
  futureHoursMax: 24,

  // --- one instance
  /** Bodies in memory at once; above it 503 before the body is read. */
  inFlightBytesMax: 64 * MIB,
  /** Event-loop delay (median over one second) above which new requests are answered 503. */
  loopDelayMsMax: 200,
  /** The sources document is looked at again after this long: a source that was switched off stops within it. */
  sourcesCheckMs: 500,
  /** And read anew after this long even if it looks the same: of a mounted secret only the reading is documented to give the newest version, not its modification time. */
  sourcesReadMs: 60_000,
  /** SIGKILL follows SIGTERM after 10 s. */
  drainMs: 8_000,
  /** Retry-After in every 503, jittered upward to twice this. */
  retryAfterSeconds: 5,

  // --- one message
  /** Compressed. Pub/Sub takes 10 MB, a push body adds a third; small messages keep push latency below 1 s. */
  messageBytesMax: 1 * MIB,
  /** Events of a message with their batch fields merged: what a subscriber must hold at once. */
  messageMergedBytesMax: 8 * MIB,
  /** Requests that arrive within this time share a message. */
  coalesceMs: 5,
  /** The same while another message is on its way to Pub/Sub. */
  coalesceBusyMs: 20,
  /** Pub/Sub's Node client would try for 600 s; a phone waits for seconds. */
  publishTimeoutMs: 5_000,

  /** A push body: Pub/Sub's largest message (10 MB) in base64, and its JSON wrapping. */
  pushBytesMax: 14 * MIB,
  /** Below the 60 s ack deadline of the subscription: the writer's own 503 comes before Pub/Sub's timeout. */
  pushDeadlineMs: 50_000,

  // --- one append
  /** AppendRows takes 20 MB (was 10). */
  appendBytesMax: 9_000_000,
  /** Ours: bounds what one refused row makes us send again; Google names no maximum. */
  appendRowsMax: 10_000,
  /** Concurrent pushes share an append: latency far below Pub/Sub's 1 s push window. */
  appendLingerMs: 250,
  /** Below the 60 s ack deadline of the subscription. */
  appendTimeoutMs: 30_000,

  // --- days
  /** A day's intraday table closes this long after its last midnight. */
  closeAfterMidnightMs: 2 * 3_600_000,
  /** The rollover waits this long after closing, for appends that were under way. */
  foldAfterCloseMs: 30 * 60_000,
  /** Tables are made this many days ahead. */
  tablesAheadDays: 2,
  /** Ours: a message that Pub/Sub could not take is published again within minutes; one that lies longer is told. */
  spillWaitsMsMax: 15 * 60_000,
} as const;
