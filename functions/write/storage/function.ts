// The function that keeps what was sent: Pub/Sub pushes messages in, their bytes are objects when it answers 204. Wiring only.
import { http } from '@google-cloud/functions-framework';
import { createPushHandler } from '../../answer-push.ts';
import { systemClock } from '../../clock.ts';
import { SHARED, readSettings } from '../../config.ts';
import { createLog } from '../../log.ts';
import { serveDirectly } from '../../serve-directly.ts';
import { stopGently } from '../../stop.ts';
import { archivePush } from './archive-message.ts';
import { createObjectsIn } from './create-object.ts';

export const SETTINGS = {
  project: SHARED.project,
  bucket: SHARED.bucket,
};

const settings = readSettings(SETTINGS);
const log = createLog('write-storage');

const archiving = { createObject: createObjectsIn(settings.project, settings.bucket), clock: systemClock };
const underWay = new Set<Promise<unknown>>();
const stopping = stopGently(async () => {
  while (underWay.size > 0) await Promise.allSettled([...underWay]);
});

const takePush = createPushHandler({
  log,
  stopping,
  work(body) {
    const work = archivePush(body, archiving).finally(() => underWay.delete(work));
    underWay.add(work);
    return work;
  },
});
serveDirectly(takePush);
http('writeStorage', takePush);
