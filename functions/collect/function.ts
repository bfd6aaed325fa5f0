// The Cloud Function `collect`: reads its settings, makes its clients once, and hands both to the collector. Nothing is decided here.
import { readFile, stat } from 'node:fs/promises';
import { http } from '@google-cloud/functions-framework';
import { systemClock } from '../clock.ts';
import { SHARED, readSettings, text, wholeNumber, type SettingTable } from '../config.ts';
import { LIMITS } from '../limits.ts';
import { createLog } from '../log.ts';
import { createMetrics, tellEveryMinute } from '../metrics.ts';
import { createPublisher } from '../publish/publisher.ts';
import { createSend } from '../publish/send.ts';
import { openTopics } from '../publish/topic.ts';
import { serveDirectly } from '../serve-directly.ts';
import { createAdmission, watchLoopDelay } from './admission.ts';
import { createCollector } from './collect.ts';
import { createDrain, takeOverSignals } from './drain.ts';
import { explain } from './explain.ts';
import { createBodyReader } from './read-body.ts';
import { createSourceStore } from './sources.ts';

export const SETTINGS = {
  project: SHARED.project,
  prefix: SHARED.prefix,
  timeZone: SHARED.timeZone,
  sourcesFile: { env: 'CHIPLOG_SOURCES_FILE', parse: text, why: 'Path of the sources document: a local file, or the mounted secret.' },
  lateDaysMax: { env: 'CHIPLOG_LATE_DAYS_MAX', parse: wholeNumber(1, 3_650), default: LIMITS.lateDaysMax as number, why: 'Events older than this many days are stored as rejected.' },
  bodyTimeoutMs: { env: 'CHIPLOG_BODY_TIMEOUT_MS', parse: wholeNumber(100, 60_000), default: LIMITS.bodyTimeoutMs as number, why: 'Time for a whole body to arrive.' },
  geoHeader: { env: 'CHIPLOG_GEO_HEADER', parse: (value: string) => value.toLowerCase(), default: '', why: 'Header in which your load balancer puts "country,region,city"; a client could forge it where there is no load balancer.' },
  codeVersion: { env: 'K_REVISION', parse: text, default: 'local', why: 'Cloud Run\'s name of the running revision; travels in every envelope.' },
} as const satisfies SettingTable;

const settings = readSettings(SETTINGS);
const log = createLog('collect');
const metrics = createMetrics(log);
const openTopic = openTopics(settings.project);

const opened = (['events', 'inference', 'rejected'] as const).map((stream) => {
  const topic = `${settings.prefix}-${stream}`;
  const guarded = createSend({ topic, call: openTopic(topic), log });
  return [stream, { ...guarded, publisher: createPublisher({ stream, send: guarded.send }) }] as const;
});
const topics = Object.fromEntries(opened) as Record<'events' | 'inference' | 'rejected', (typeof opened)[number][1]>;

const drain = createDrain();
const sources = createSourceStore({
  version: async () => {
    const { mtimeMs, size, ino } = await stat(settings.sourcesFile);
    return `${mtimeMs} ${size} ${ino}`;
  },
  read: () => readFile(settings.sourcesFile, 'utf8'),
  clock: () => performance.now(),
  log,
});

const collect = createCollector({
  sources,
  publishers: { events: topics.events.publisher, inference: topics.inference.publisher, rejected: topics.rejected.publisher },
  isPublishOpen: (stream) => topics[stream].isOpen(),
  admission: createAdmission({ loopDelayMs: watchLoopDelay() }),
  drain, clock: systemClock, log, metrics,
  codeVersion: settings.codeVersion,
  lateDaysMax: settings.lateDaysMax,
  readBody: createBodyReader({ bodyBytesMax: LIMITS.bodyBytesMax, bodyTimeoutMs: settings.bodyTimeoutMs }),
  geoHeader: settings.geoHeader,
  explain: (batch, received) => explain(batch, received, { nowMs: systemClock(), timeZone: settings.timeZone }),
});

tellEveryMinute(metrics);
serveDirectly(collect, () => takeOverSignals(drain, log, async () => {
  await Promise.all(Object.values(topics).map(({ publisher }) => publisher.flush()));
  metrics.tell();
}));

http('collect', collect);
