// multipart/related as Cloud Storage takes it: a JSON part, then a media part. Pieces of the request in; the JSON, then pieces of
// the media out, without holding the media in memory. uploads.ts reads it.
import { invalid } from './refusal.ts';

export type Part = { kind: 'metadata'; text: string; /** Content-Type of the media part. */ mediaType?: string } | { kind: 'media'; bytes: Buffer };

const HEAD_BYTES_MAX = 1 << 20;

export async function* splitMultipart(pieces: AsyncIterable<Buffer>, contentType: string): AsyncGenerator<Part> {
  // gcloud puts the boundary between single quotes, and its lines end with LF alone.
  const boundary = /boundary=(?:"([^"]+)"|'([^']+)'|([^\s;]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2] ?? boundary?.[3];
  if (mark === undefined) throw invalid('A multipart upload needs a Content-Type with a boundary.');

  let held: Buffer = Buffer.alloc(0);
  let closing: Buffer | undefined;
  for await (const piece of pieces) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    if (closing === undefined) {
      const head = readHead(held, mark);
      if (head === undefined) {
        if (held.length > HEAD_BYTES_MAX) throw invalid('The metadata part of the multipart upload is too large.');
        continue;
      }
      closing = Buffer.from(`${head.lineEnd}--${mark}--`);
      yield { kind: 'metadata', text: head.text, ...(head.mediaType === undefined ? {} : { mediaType: head.mediaType }) };
      held = held.subarray(head.end);
    }
    // The end of the body (closing boundary, perhaps line breaks) is held back until the body is over.
    const ready = held.length - closing.length - 4;
    if (ready > 0) {
      yield { kind: 'media', bytes: held.subarray(0, ready) };
      held = held.subarray(ready);
    }
  }
  const end = closing === undefined ? -1 : held.lastIndexOf(closing);
  if (end < 0) throw invalid('The multipart body ended before its closing boundary.');
  if (end > 0) yield { kind: 'media', bytes: held.subarray(0, end) };
}

/** Everything before the media's first byte, once it is all there. */
function readHead(bytes: Buffer, mark: string): { text: string; mediaType?: string; end: number; lineEnd: string } | undefined {
  const first = bytes.indexOf(`--${mark}`);
  const afterMark = first + 2 + mark.length;
  if (first < 0 || bytes.length < afterMark + 2) return undefined;
  const lineEnd = bytes[afterMark] === 0x0a ? '\n' : '\r\n';
  const blank = lineEnd + lineEnd;
  const jsonStart = bytes.indexOf(blank, first);
  const jsonEnd = jsonStart < 0 ? -1 : bytes.indexOf(`${lineEnd}--${mark}`, jsonStart + lineEnd.length);
  const mediaHead = jsonEnd < 0 ? -1 : bytes.indexOf(blank, jsonEnd + lineEnd.length);
  if (mediaHead < 0) return undefined;
  const mediaType = /^content-type:\s*(.+?)\s*$/im.exec(bytes.toString('latin1', jsonEnd, mediaHead))?.[1];
  return { text: bytes.toString('utf8', jsonStart + blank.length, jsonEnd), end: mediaHead + blank.length, lineEnd, ...(mediaType === undefined ? {} : { mediaType }) };
}
