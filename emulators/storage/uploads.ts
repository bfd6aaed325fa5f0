// objects.insert in its three forms: media, multipart and resumable. server.ts calls insert and cancel; bytes go to a staged file,
// which becomes the object when all are there, the checksums agree and the preconditions hold.
import type { Call, Answer } from './call.ts';
import { header, parseJson, readJson } from './call.ts';
import { damaged } from './damage.ts';
import type { Staged } from './object-file.ts';
import { newFields, objectFields } from './object-fields.ts';
import { splitMultipart } from './multipart.ts';
import { checkPreconditions, readPreconditions, type Preconditions } from './preconditions.ts';
import { invalid, required, unsupported } from './refusal.ts';
import { objectResource } from './resources.ts';
import { cancelResumable, continueResumable, startResumable } from './resumable.ts';
import type { NewObject, StoredObject } from './stored.ts';

/** What is to be made of the bytes; kept with a resumable upload. */
export type Target = { bucket: string; body: Record<string, unknown>; name: string; contentType?: string; conditions: Preconditions };

export async function insert(call: Call): Promise<Answer> {
  const { request, query } = call;
  const type = query.get('uploadType');
  if (header(call, 'content-encoding') !== undefined) throw unsupported('request bodies with Content-Encoding');
  if (query.has('upload_id')) return continueResumable(call);
  if (request.method !== 'POST') throw invalid('PUT goes to the address of a resumable upload, which has an upload_id.', 'upload_id');
  call.store.bucket(call.bucket);
  if (type === 'media') return insertMedia(call);
  if (type === 'multipart') return insertMultipart(call);
  if (type === 'resumable') return startResumable(call, targetOf(call, await readJson(request), header(call, 'x-upload-content-type')));
  throw type === null ? required('uploadType') : invalid(`Upload type ${type} is not known: media, multipart or resumable.`, 'uploadType');
}

export const cancel = (call: Call): Promise<Answer> => cancelResumable(call);

async function insertMedia(call: Call): Promise<Answer> {
  const target = targetOf(call, {}, header(call, 'content-type'));
  const staged = await call.store.stage();
  return receive(call, staged, async () => {
    for await (const chunk of damaged(call, call.request as AsyncIterable<Buffer>)) await staged.append(chunk);
    return target;
  });
}

async function insertMultipart(call: Call): Promise<Answer> {
  // A precondition that fails already is told before the bytes are taken, when the name is in the URL.
  const name = call.query.get('name');
  if (name) checkPreconditions(readPreconditions(call.query), call.store.object(call.bucket, name));
  const staged = await call.store.stage();
  return receive(call, staged, async () => {
    const parts = splitMultipart(call.request as AsyncIterable<Buffer>, header(call, 'content-type') ?? '');
    const first = await parts.next();
    if (first.done || first.value.kind !== 'metadata') throw invalid('Missing the metadata part of the multipart upload.');
    const target = targetOf(call, parseJson(first.value.text), first.value.mediaType);
    for await (const bytes of damaged(call, mediaOf(parts))) await staged.append(bytes);
    return target;
  });
}

async function* mediaOf(parts: ReturnType<typeof splitMultipart>): AsyncGenerator<Buffer> {
  for await (const part of parts) if (part.kind === 'media') yield part.bytes;
}

async function receive(call: Call, staged: Staged, fill: () => Promise<Target>): Promise<Answer> {
  let target: Target;
  try {
    target = await fill();
  } catch (error) {
    await staged.discard();
    throw error;
  }
  const made = await commitUpload(call, staged, target);
  return { json: objectResource(call.base, call.store.bucket(call.bucket), made) };
}

/** Name, fields and preconditions of the object to be made, refused early where that is possible. */
export function targetOf(call: Call, body: Record<string, unknown>, mediaType: string | undefined): Target {
  const inUrl = call.query.get('name') || undefined;
  const name = inUrl ?? body['name'];
  if (inUrl !== undefined && body['name'] !== undefined && body['name'] !== inUrl) throw invalid(`Value '${String(body['name'])}' in content does not agree with value '${inUrl}'.`, 'name');
  checkObjectName(name);
  newFields(objectFields(body));
  const encoding = call.query.get('contentEncoding');
  const conditions = readPreconditions(call.query);
  checkPreconditions(conditions, call.store.object(call.bucket, name));
  const contentType = body['contentType'] ?? mediaType;
  return {
    bucket: call.bucket, name, conditions,
    body: encoding === null ? body : { contentEncoding: encoding, ...body },
    ...(typeof contentType === 'string' ? { contentType } : {}),
  };
}

/** Up to 1,024 bytes of UTF-8, without line breaks, and not one of the names that paths would lose. */
export function checkObjectName(name: unknown): asserts name is string {
  if (name === undefined || name === '') throw required('name');
  if (typeof name !== 'string' || /[\r\n]/.test(name) || name === '.' || name === '..' || name.startsWith('.well-known/acme-challenge/') || !name.isWellFormed()) throw invalid(`Disallowed object name: ${JSON.stringify(name)}`, 'name');
  const bytes = Buffer.byteLength(name);
  if (bytes > 1_024) throw invalid(`The maximum object length is 1024 characters, but got a name with ${bytes} characters: '${name.slice(0, 64)}...'`, 'name');
}

/** Checks the sums that the client gave, then makes the object. Discards the staged file when it is refused. */
export async function commitUpload(call: Call, staged: Staged, target: Target, uploadId?: string): Promise<StoredObject> {
  const sums = staged.checksums();
  let fields: NewObject;
  try {
    checkSums({ ...pickText(target.body, 'crc32c'), ...pickText(target.body, 'md5Hash') }, sums);
    checkSums(hashHeader(call), sums);
    const { contentType } = target;
    fields = { ...newFields(objectFields(target.body)), ...(contentType === undefined ? {} : { contentType }), name: target.name, ...sums, ...(uploadId === undefined ? {} : { uploadId }) };
  } catch (error) {
    await staged.discard();
    throw error;
  }
  return call.store.commit(target.bucket, staged, fields, target.conditions);
}

type Sums = { crc32c?: string; md5Hash?: string };

function checkSums(wanted: Sums, sums: Required<Sums>): void {
  if (wanted.crc32c !== undefined && wanted.crc32c !== sums.crc32c) throw invalid(`Provided CRC32C "${wanted.crc32c}" doesn't match calculated CRC32C "${sums.crc32c}".`);
  if (wanted.md5Hash !== undefined && wanted.md5Hash !== sums.md5Hash) throw invalid(`Provided MD5 hash "${wanted.md5Hash}" doesn't match calculated MD5 hash "${sums.md5Hash}".`);
}

function pickText<K extends string>(body: Record<string, unknown>, name: K): Partial<Record<K, string>> {
  return typeof body[name] === 'string' ? ({ [name]: body[name] } as Record<K, string>) : {};
}

/** `X-Goog-Hash: crc32c=…,md5=…` and `Content-MD5`. */
function hashHeader(call: Call): Sums {
  const found: Sums = {};
  for (const entry of (header(call, 'x-goog-hash') ?? '').split(',')) {
    const [, kind, value] = /^\s*(crc32c|md5)=(\S+)\s*$/.exec(entry) ?? [];
    if (kind === 'crc32c') found.crc32c = value!;
    else if (kind === 'md5') found.md5Hash = value!;
    else if (entry.trim() !== '') throw unsupported(`X-Goog-Hash ${entry.trim()}`);
  }
  const md5 = header(call, 'content-md5');
  return md5 === undefined ? found : { ...found, md5Hash: md5 };
}
