// A raw file's bytes in, its envelope lines out, one at a time. Called by raw.ts and rejected.ts.
// A file is any number of gzip members one after another (a message is, and a compacted hour is many messages), so it is inflated as
// a stream that goes on after a member's end. What cannot be read ends that file and is counted; the lines before it are used.
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Envelope } from '../envelope.ts';

export type StoredLine = { text: string; envelope: Envelope };
export type LineReport = { unreadableLines: number; problem?: string };

const LINE_FEED = 10;

export async function* readLines(source: Readable, report: LineReport): AsyncGenerator<StoredLine> {
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  let pending: Buffer[] = [];
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        pending.push(chunk.subarray(start, end));
        start = end + 1;
        const line = parseLine(pending, report);
        pending = [];
        if (line !== undefined) yield line;
      }
      if (start < chunk.length) pending.push(chunk.subarray(start));
    }
  } catch (error) {
    report.problem = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    return;
  }
  const line = parseLine(pending, report);
  if (line !== undefined) yield line;
}

function parseLine(parts: readonly Buffer[], report: LineReport): StoredLine | undefined {
  const text = Buffer.concat(parts).toString();
  if (text === '') return undefined;
  try {
    const envelope = JSON.parse(text) as Envelope;
    if (typeof envelope.request_id === 'string' && typeof envelope.stream === 'string' && Array.isArray(envelope.rejected)) return { text, envelope };
  } catch { /* counted below */ }
  report.unreadableLines += 1;
  return undefined;
}
