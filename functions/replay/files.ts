// The raw files that a replay reads, with Google's Cloud Storage client. Made by function.ts and scripts/replay.ts.
import type { Readable } from 'node:stream';
import { Storage } from '@google-cloud/storage';
import { inTime } from '../in-time.ts';
import { dayPrefix, parseRawObjectName } from '../raw-object.ts';
import type { RawObject } from '../raw-object.ts';
import { isInRange } from './range.ts';
import type { HourRange } from './range.ts';

export type RawFile = RawObject & { name: string };
export type Files = {
  /** Raw files of one day, in the order of their names: hours ascend, and in an hour single messages come before joined ones. */
  ofDay(stream: string, day: string): Promise<RawFile[]>;
  open(name: string): Readable;
};

export function filesIn(projectId: string, bucketName: string): Files {
  const bucket = new Storage({ projectId }).bucket(bucketName);
  return {
    async ofDay(stream, day) {
      const [files] = await inTime(bucket.getFiles({ prefix: dayPrefix(stream, day) }), `listing ${day}`, 120_000);
      return rawFiles(files.map(({ name }) => name));
    },
    // As stored: inflating is ours, member after member.
    open: (name) => bucket.file(name).createReadStream({ decompress: false, validation: false }),
  };
}

export function rawFiles(names: readonly string[]): RawFile[] {
  return [...names].sort().flatMap((name) => {
    const parsed = parseRawObjectName(name);
    return parsed === undefined ? [] : [{ name, ...parsed }];
  });
}

/** The files of the range, day after day, so that no list holds more than a day. */
export async function* filesOf(files: Files, stream: string, range: HourRange): AsyncGenerator<RawFile> {
  for (const day of range.days) {
    for (const file of await files.ofDay(stream, day)) if (isInRange(range, file)) yield file;
  }
}
