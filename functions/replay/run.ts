// One replay: in go what is to be sent again and how, out come its counts. Called by function.ts and scripts/replay.ts.
import { ingestError } from '../errors.ts';
import { accepted, rejected, retry } from '../outcome.ts';
import type { Outcome } from '../outcome.ts';
import type { Send } from '../publish/publisher.ts';
import type { Files } from './files.ts';
import { createMessageSender } from './message-sender.ts';
import { parseRange } from './range.ts';
import { noCounts, replayRaw } from './raw.ts';
import type { Counts } from './raw.ts';
import { replayRejected } from './rejected.ts';

export type ReplayRequest = {
  stream: string;
  /** `YYYY-MM-DD` or `YYYY-MM-DDTHH`, UTC by publish time; both ends belong to the range. */
  from: string;
  to: string;
  store: 'raw' | 'rejected';
  dryRun: boolean;
  /** Events that were refused for their time are stored with the time of their receipt. */
  dateByReceipt: boolean;
};
export type ReplayOptions = {
  streams: readonly string[];
  files: Files;
  sendTo: (stream: string) => Send;
  wait: (ms: number) => Promise<unknown>;
  lateDaysMax: number;
  onProgress?: (counts: Counts, file: string) => void;
};
export type Replayed = Counts & { messages: number; dry_run: boolean };

export async function replay(request: ReplayRequest, options: ReplayOptions): Promise<Outcome<Replayed>> {
  const { stream, store, dryRun, dateByReceipt } = request;
  if (!options.streams.includes(stream)) return rejected(ingestError('setting_invalid', { name: 'stream', value: stream, expected: options.streams.join(', ') }));
  const range = parseRange(request.from, request.to);
  if (range.kind !== 'accepted') return range;
  const counts = noCounts();
  const sender = dryRun ? undefined : createMessageSender(options);
  const replaying = { files: options.files, sender, counts, onProgress: (file: string) => options.onProgress?.(counts, file) };
  try {
    if (store === 'raw') await replayRaw(stream, range.value, replaying);
    else await replayRejected(stream, range.value, { ...replaying, lateDaysMax: options.lateDaysMax, dateByReceipt });
    await sender?.end();
  } catch (error) {
    return retry(ingestError('replay_stopped', { reason: (error as Error).message }));
  }
  return accepted({ ...counts, messages: sender?.messages() ?? 0, dry_run: dryRun });
}
