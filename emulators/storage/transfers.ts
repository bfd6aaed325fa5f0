// Objects made of objects: compose, copy, rewrite, move. server.ts calls them by name.
import { createHash } from 'node:crypto';
import type { Answer, Call } from './call.ts';
import { readJson } from './call.ts';
import { newFields, objectFields, settableFields, type Fields } from './object-fields.ts';
import { generationOf } from './objects.ts';
import { checkPreconditions, readPreconditions, sourcePreconditions } from './preconditions.ts';
import { refuseIfKept } from './keep.ts';
import { invalid, noObject, Refusal, required, unsupported } from './refusal.ts';
import { objectResource } from './resources.ts';
import type { NewObject, StoredObject } from './stored.ts';
import { checkObjectName } from './uploads.ts';

const COMPOSE_SOURCES_MAX = 32;
const MIB = 1 << 20;
const COMPOSE_BODY = ['kind', 'sourceObjects', 'destination'];
const COMPOSE_SOURCE = ['kind', 'name', 'generation', 'objectPreconditions'];

/** null is as good as absent: Google's Python client writes it. */
type ComposeSource = { name?: unknown; generation?: unknown; objectPreconditions?: { ifGenerationMatch?: unknown } | null };

/** Joins up to 32 objects into one, bytes after bytes. Nothing of the sources' metadata is taken over, and a composite has no MD5. */
export async function compose(call: Call): Promise<Answer> {
  const { store, bucket, query } = call;
  const body = await readJson(call.request);
  refuseFields(body, COMPOSE_BODY, 'objects.compose');
  const sources = body['sourceObjects'];
  if (!Array.isArray(sources) || sources.length === 0) throw invalid('You must provide at least one source component.');
  if (sources.length > COMPOSE_SOURCES_MAX) throw invalid(`The number of source components provided (${sources.length}) exceeds the maximum (${COMPOSE_SOURCES_MAX})`);
  checkObjectName(call.object);
  const destination = newFields(objectFields((body['destination'] ?? {}) as Fields));
  checkPreconditions(readPreconditions(query), store.object(bucket, call.object));
  const parts = (sources as ComposeSource[]).map((source) => {
    refuseFields(source, COMPOSE_SOURCE, 'a source of objects.compose');
    refuseFields(source.objectPreconditions ?? {}, ['ifGenerationMatch'], 'objectPreconditions');
    if (typeof source.name !== 'string') throw required('sourceObjects[].name');
    const part = store.object(bucket, source.name, source.generation === undefined || source.generation === null ? undefined : String(source.generation));
    if (part === undefined) throw noObject(bucket, source.name);
    const wanted = source.objectPreconditions?.ifGenerationMatch;
    if (wanted !== undefined && wanted !== null) checkPreconditions({ ifGenerationMatch: String(wanted) }, part);
    return part;
  });
  return joined(call, { bucket, name: call.object, parts }, (sums) => ({
    ...destination, name: call.object, crc32c: sums.crc32c,
    componentCount: parts.reduce((count, part) => count + (part.componentCount ?? 1), 0),
  }));
}

function refuseFields(given: object, known: readonly string[], of: string): void {
  for (const [name, value] of Object.entries(given)) if (!known.includes(name) && value !== null && value !== false) throw unsupported(`the field ${name} of ${of}`);
}

export async function copy(call: Call): Promise<Answer> {
  const { source, body } = await readTransfer(call);
  return transfer(call, source, body);
}

/** At once, unless the class or the place changes and the caller wants to see it go on in steps; these are counted in the token. */
export async function rewrite(call: Call): Promise<Answer> {
  const { source, body } = await readTransfer(call);
  const from = call.store.bucket(call.bucket);
  const to = call.store.bucket(call.toBucket);
  const storageClass = (body['storageClass'] as string | undefined) ?? to['storageClass'] ?? 'STANDARD';
  const isFar = from['location'] !== to['location'] || storageClass !== (source['storageClass'] ?? 'STANDARD');
  const done = rewritten(call, source) + (isFar ? bytesPerCall(call) : Infinity);
  const size = Number(source.size);
  const progress = { kind: 'storage#rewriteResponse', totalBytesRewritten: String(Math.min(done, size)), objectSize: source.size };
  if (done < size) return { json: { ...progress, done: false, rewriteToken: tokenOf(call, source, done) } };
  const { json: resource } = await transfer(call, source, body);
  return { json: { ...progress, done: true, resource } };
}

function bytesPerCall({ query }: Call): number {
  const text = query.get('maxBytesRewrittenPerCall');
  if (text === null) return Infinity;
  if (!/^\d+$/.test(text) || Number(text) === 0 || Number(text) % MIB !== 0) throw invalid(`maxBytesRewrittenPerCall must be a multiple of ${MIB}.`, 'maxBytesRewrittenPerCall');
  return Number(text);
}

/** A token holds for the same source, target and generation only. */
const tokenOf = (call: Call, source: StoredObject, done: number): string =>
  `${done}.${createHash('sha256').update([call.bucket, call.object, source.generation, call.toBucket, call.toObject, done].join('\n')).digest('base64url')}`;

function rewritten(call: Call, source: StoredObject): number {
  const token = call.query.get('rewriteToken');
  if (!token) return 0;
  const done = Number(token.split('.')[0]);
  if (token !== tokenOf(call, source, done)) throw invalid('The rewrite token is not of this rewrite.', 'rewriteToken');
  return done;
}

/** Within a bucket. The source goes when the target is there; a kill between the two leaves both, where Google's is one step. */
export async function move(call: Call): Promise<Answer> {
  const { store, bucket, object } = call;
  call.toBucket = bucket;
  const { source, body } = await readTransfer(call);
  if (Object.keys(body).length > 0) throw invalid('objects.move takes no body.');
  if (object === call.toObject) throw invalid('The source and the destination of a move must differ.', 'destinationObject');
  refuseIfKept(store.bucket(bucket), source, store.now());
  const answer = await transfer(call, source, {}, true);
  await store.deleteObject(bucket, object, null, { ifGenerationMatch: source.generation });
  return answer;
}

async function readTransfer(call: Call): Promise<{ source: StoredObject; body: Fields }> {
  const { store, query } = call;
  const body = await readJson(call.request);
  checkObjectName(call.toObject);
  const source = store.objectOrRefuse(call.bucket, call.object, generationOf(query, 'sourceGeneration'));
  checkPreconditions(sourcePreconditions(query), source);
  checkPreconditions(readPreconditions(query), store.object(call.toBucket, call.toObject));
  return { source, body };
}

/** A copy takes over the source's metadata but for its class and holds; with a body, the body's is the whole of it. */
async function transfer(call: Call, source: StoredObject, body: Fields, isMove = false): Promise<Answer> {
  const given = objectFields(body);
  const { storageClass, temporaryHold: _hold, eventBasedHold: _hold2, ...carried } = settableFields(source);
  const fields = newFields(Object.keys(given).length > 0 ? given : isMove ? { ...carried, storageClass } : carried);
  return joined(call, { bucket: call.toBucket, name: call.toObject, parts: [source] }, (sums) => ({
    ...fields, name: call.toObject, crc32c: sums.crc32c,
    ...(source.componentCount === undefined ? { md5Hash: sums.md5Hash } : { componentCount: source.componentCount }),
  }));
}

async function joined(call: Call, to: { bucket: string; name: string; parts: StoredObject[] }, fields: (sums: { crc32c: string; md5Hash: string }) => NewObject): Promise<Answer> {
  const { store } = call;
  const target = store.bucket(to.bucket);
  const staged = await store.stage();
  try {
    for (const part of to.parts) {
      if (part.size === '0') continue;
      for await (const chunk of await store.read(call.bucket, part.name, part.generation, 0, Number(part.size) - 1)) await staged.append(chunk as Buffer);
    }
    if (staged.size !== to.parts.reduce((sum, part) => sum + Number(part.size), 0)) throw new Refusal(500, 'internalError', 'A source changed while it was read.');
  } catch (error) {
    await staged.discard();
    throw error;
  }
  const object = await store.commit(to.bucket, staged, fields(staged.checksums()), readPreconditions(call.query));
  return { json: objectResource(call.base, target, object) };
}
