// multipart/related as Cloud Storage takes it: a JSON part, then a media part. Pieces of the request in; the JSON, then pieces of
// the media out, without holding the media in memory. uploads.ts reads it.
import { invalid } from './refusal.ts';

export type Part = { kind: 'metadata'; text: string; /** Content-Type of the media part. */ mediaType?: string } | { kind: 'media'; bytes: Buffer };

const HEAD_BYTES_MAX = 1 << 20;

export async function* splitMultipart(pieces: AsyncIterable<Buffer>, contentType: string): AsyncGenerator<Part> {
  const boundary = /boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw invalid('A multipart upload needs a Content-Type with a boundary.');
  const closing = Buffer.from(`\r\n--${mark}--`);

  let held: Buffer = Buffer.alloc(0);
  let isInMedia = false;
  for await (const piece of pieces) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    if (!isInMedia) {
      const head = readHead(held, mark);
      if (head === undefined) {
        if (held.length > HEAD_BYTES_MAX) throw invalid('The metadata part of the multipart upload is too large.');
        continue;
      }
      isInMedia = true;
      yield { kind: 'metadata', text: head.text, ...(head.mediaType === undefined ? {} : { mediaType: head.mediaType }) };
      held = held.subarray(head.end);
    }
    // The end of the body (closing boundary, perhaps a line break) is held back until the body is over.
    const ready = held.length - closing.length - 2;
    if (ready > 0) {
      yield { kind: 'media', bytes: held.subarray(0, ready) };
      held = held.subarray(ready);
    }
  }
  const end = held.lastIndexOf(closing);
  if (!isInMedia || end < 0) throw invalid('The multipart body ended before its closing boundary.');
  if (end > 0) yield { kind: 'media', bytes: held.subarray(0, end) };
}

/** Everything before the media's first byte, once it is all there. */
function readHead(bytes: Buffer, mark: string): { text: string; mediaType?: string; end: number } | undefined {
  const first = bytes.indexOf(`--${mark}`);
  const jsonStart = first < 0 ? -1 : bytes.indexOf('\r\n\r\n', first);
  const jsonEnd = jsonStart < 0 ? -1 : bytes.indexOf(`\r\n--${mark}`, jsonStart + 2);
  const mediaHead = jsonEnd < 0 ? -1 : bytes.indexOf('\r\n\r\n', jsonEnd + 2);
  if (mediaHead < 0) return undefined;
  const mediaType = /^content-type:\s*(.+?)\s*$/im.exec(bytes.toString('latin1', jsonEnd, mediaHead))?.[1];
  return { text: bytes.toString('utf8', jsonStart + 4, jsonEnd), end: mediaHead + 4, ...(mediaType === undefined ? {} : { mediaType }) };
}
