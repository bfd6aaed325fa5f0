// The bytes of an object over HTTP: whole, a range, or inflated for a client that does not take gzip. objects.ts calls it.
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Call } from './call.ts';
import { damaged } from './damage.ts';
import { Refusal } from './refusal.ts';
import { etagOf } from './resources.ts';
import type { StoredObject } from './stored.ts';

export async function sendMedia(call: Call, object: StoredObject): Promise<undefined> {
  const { request, response, store, bucket } = call;
  const size = Number(object.size);
  const headers = mediaHeaders(object);
  const isStoredGzip = object['contentEncoding'] === 'gzip';
  const isInflated = isStoredGzip && !/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')) && !/\bno-transform\b/.test(String(object['cacheControl'] ?? ''));
  // A range of what is inflated on the way is passed over: the whole is answered.
  const range = isInflated ? undefined : readRange(request.headers.range, size);
  if (isStoredGzip) headers['vary'] = 'Accept-Encoding';
  if (isInflated) {
    delete headers['content-encoding'];
    headers['warning'] = '214 UploadServer gunzipped';
    response.writeHead(200, headers);
  } else if (range !== undefined) {
    response.writeHead(206, { ...headers, 'content-length': String(range.end - range.start + 1), 'content-range': `bytes ${range.start}-${range.end}/${size}` });
  } else {
    response.writeHead(200, { ...headers, 'content-length': String(size), 'accept-ranges': 'bytes' });
  }
  if (request.method === 'HEAD' || size === 0) return void response.end();
  const bytes = damaged(call, await store.read(bucket, object.name, object.generation, range?.start ?? 0, range?.end ?? size - 1) as AsyncIterable<Buffer>);
  await (isInflated ? pipeline(bytes, createGunzip(), response) : pipeline(bytes, response));
  // The client waits for the rest that its Content-Length promises; the end of the connection is what it sees.
  if (call.fault?.kind === 'truncate') request.socket.destroy();
}

function mediaHeaders(object: StoredObject): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': object.contentType ?? 'application/octet-stream',
    'x-goog-hash': [`crc32c=${object.crc32c}`, ...(object.md5Hash === undefined ? [] : [`md5=${object.md5Hash}`])].join(','),
    'x-goog-generation': object.generation,
    'x-goog-metageneration': object.metageneration,
    'x-goog-storage-class': String(object['storageClass'] ?? 'STANDARD'),
    'x-goog-stored-content-encoding': String(object['contentEncoding'] ?? 'identity'),
    'x-goog-stored-content-length': object.size,
    etag: etagOf(object),
    'last-modified': new Date(object.updated).toUTCString(),
  };
  for (const [field, name] of Object.entries({ contentEncoding: 'content-encoding', contentDisposition: 'content-disposition', contentLanguage: 'content-language', cacheControl: 'cache-control' })) {
    if (typeof object[field] === 'string') headers[name] = object[field];
  }
  return headers;
}

/** One range, as `bytes=a-b`, `bytes=a-` or `bytes=-n`; anything else means the whole. */
function readRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || (from === '' && to === '')) return undefined;
  // The end before the beginning is no range at all (RFC 9110, 14.1.1).
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size) throw new Refusal(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable', 'Range', { headers: { 'content-range': `bytes */${size}` } });
  return { start, end };
}
