// Messages that Pub/Sub could not take and that still lie in the bucket: in goes what is there and the time, out comes how many have waited
// too long. Called by run.ts; the alert "spill" reads the line that it logs. Draining them is not its work.
import { Storage } from '@google-cloud/storage';
import { inTime } from '../in-time.ts';
import { LIMITS } from '../limits.ts';
import type { Log } from '../log.ts';

export type SpilledMessage = { name: string; createdMs: number };
/** Lists what is spilled, at most a thousand: one call, and the number is not what matters. */
export type ListSpilled = () => Promise<SpilledMessage[]>;

export async function countLeftSpilled(list: ListSpilled, nowMs: number, log: Log): Promise<number> {
  const left = (await list()).filter(({ createdMs }) => nowMs - createdMs > LIMITS.spillWaitsMsMax);
  if (left.length === 0) return 0;
  const oldestMs = Math.min(...left.map(({ createdMs }) => createdMs));
  log('ERROR', 'Spilled messages are not drained', { messages: left.length, oldest_seconds: Math.round((nowMs - oldestMs) / 1_000), example: left[0]!.name });
  return left.length;
}

export function listSpilledOf(projectId: string, bucketName: string): ListSpilled {
  const bucket = new Storage({ projectId, retryOptions: { autoRetry: true, maxRetries: 3, totalTimeout: 20 } }).bucket(bucketName);
  return async () => {
    const [files] = await inTime(bucket.getFiles({ prefix: 'spill/', maxResults: 1_000, autoPaginate: false }), 'listing spilled messages');
    return files.map(({ name, metadata }) => ({ name, createdMs: Date.parse(String(metadata.timeCreated)) }));
  };
}
