// Where a load job reads: objects of the local Cloud Storage, by name or pattern, as streams of their inflated bytes. Called by run-load.ts.
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Refusal } from './refusal.ts';

/** The bytes of one source, as they are stored. */
export type Source = { name: string; open: () => Promise<Readable> };

/** gzip is known by its first two bytes; members one after another are one file. */
export async function inflated(source: Source): Promise<Readable> {
  const input = await source.open();
  const iterator = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const first = await iterator.next();
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (first.done === true) return;
    yield first.value;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  const plain = Readable.from(rest());
  const isGzip = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return plain;
  const gunzip = createGunzip();
  plain.once('error', (error) => gunzip.destroy(error));
  return plain.pipe(gunzip);
}

/** `gs://bucket/path*` as objects of the Cloud Storage at STORAGE_EMULATOR_HOST. */
export async function expand(uri: string, storageUrl: string | undefined): Promise<Source[]> {
  const match = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (match === null) throw new Refusal('invalid', `Source URI must be a Google Cloud Storage location: ${uri}`);
  if (storageUrl === undefined) throw new Refusal('invalid', 'Loading from gs:// needs a Cloud Storage: STORAGE_EMULATOR_HOST is not set for the local BigQuery.');
  const [, bucket, pattern] = match as unknown as [string, string, string];
  const api = `${storageUrl.replace(/\/$/, '')}/storage/v1/b/${bucket}/o`;
  const star = pattern.indexOf('*');
  if (pattern.indexOf('*', star + 1) > star || bucket.includes('*')) throw new Refusal('invalid', `A source URI has at most one wildcard, after the bucket: ${uri}`);
  const names = star === -1 ? [pattern] : (await listed(api, pattern.slice(0, star))).filter((name) => name.endsWith(pattern.slice(star + 1)) && name.length >= pattern.length - 1);
  return names.map((name) => ({ name: `gs://${bucket}/${name}`, open: () => download(`${api}/${encodeURIComponent(name)}?alt=media`, `gs://${bucket}/${name}`) }));
}

async function listed(api: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const response = await fetch(`${api}?prefix=${encodeURIComponent(prefix)}${token === undefined ? '' : `&pageToken=${token}`}`);
    if (!response.ok) throw new Refusal('notFound', `Not found: ${api} (${response.status})`);
    const page = await response.json() as { items?: { name: string }[]; nextPageToken?: string };
    names.push(...(page.items ?? []).map((item) => item.name));
    token = page.nextPageToken;
  } while (token !== undefined);
  return names.sort();
}

async function download(url: string, name: string): Promise<Readable> {
  // Stored bytes are wanted as they are: an Accept-Encoding without gzip would make the storage inflate objects marked as gzip.
  const response = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  if (response.status === 404) throw new Refusal('notFound', `Not found: URI ${name}`);
  if (!response.ok || response.body === null) throw new Refusal('backendError', `${name} could not be read: ${response.status}`);
  return Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
}
