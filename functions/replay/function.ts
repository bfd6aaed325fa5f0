// The function that replays: a POST {stream, from, to, store, dry_run, date_by_receipt} in, counts out. Wiring only.
// With `dry_run` it reads and counts only. Long ranges are for scripts/replay.ts, which has no time limit.
import { setTimeout as wait } from 'node:timers/promises';
import { http } from '@google-cloud/functions-framework';
import { SHARED, readSettings, wholeNumber } from '../config.ts';
import { ERRORS } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { createLog } from '../log.ts';
import { createSend } from '../publish/send.ts';
import { openTopics } from '../publish/topic.ts';
import type { Send } from '../publish/publisher.ts';
import { bypassBodyParsers, readRawBody } from '../raw-body.ts';
import { streamTables } from '../stream-tables.ts';
import { filesIn } from './files.ts';
import { readReplayRequest } from './read-request.ts';
import { replay } from './run.ts';

export const SETTINGS = {
  project: SHARED.project,
  prefix: SHARED.prefix,
  bucket: SHARED.bucket,
  lateDaysMax: { env: 'CHIPLOG_LATE_DAYS_MAX', parse: wholeNumber(1, 3_650), default: LIMITS.lateDaysMax as number, why: 'Rejected events are judged again by the collector\'s own rule: older than this many days is too late.' },
};

const settings = readSettings(SETTINGS);
const log = createLog('replay');
bypassBodyParsers();

const streams = streamTables().map(({ stream }) => stream);
const openTopic = openTopics(settings.project);
const sends = new Map<string, Send>(streams.map((stream) => {
  const topic = `${settings.prefix}-${stream}`;
  return [stream, createSend({ topic, call: openTopic(topic), log }).send];
}));

http('replay', async (request, response) => {
  const body = await readRawBody(request, LIMITS);
  const asked = body.kind === 'accepted' ? readReplayRequest(body.value) : body;
  const outcome = asked.kind !== 'accepted' ? asked : await replay(asked.value, {
    streams,
    files: filesIn(settings.project, settings.bucket),
    sendTo: (stream) => sends.get(stream)!,
    wait,
    lateDaysMax: settings.lateDaysMax,
  });
  if (outcome.kind === 'accepted') {
    log('INFO', 'replayed', { ...(asked.kind === 'accepted' ? asked.value : {}), ...outcome.value });
    response.status(200).json(outcome.value);
    return;
  }
  response.status(outcome.kind === 'rejected' ? 400 : ERRORS[outcome.error.code].status).json({ error: outcome.error });
});
