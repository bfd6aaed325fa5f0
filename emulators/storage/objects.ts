// objects.*: get (metadata or media), list, patch, update, delete, compose, copy, rewrite. server.ts calls them by name; insert is in uploads.ts.
import type { Answer, Call } from './call.ts';
import { readJson } from './call.ts';
import { sendMedia } from './media.ts';
import { checkForReading, checkPreconditions, readPreconditions, sourcePreconditions } from './preconditions.ts';
import { invalid, noObject, unsupported } from './refusal.ts';
import { objectFields, objectResource, patched, replaced } from './resources.ts';
import type { NewObject, StoredObject } from './store.ts';

const PAGE_MAX = 1_000;
const COMPOSE_SOURCES_MAX = 32;

export async function get(call: Call): Promise<Answer | undefined> {
  const { store, base, bucket, query } = call;
  const object = store.objectOrRefuse(bucket, call.object, query.get('generation'));
  checkForReading(readPreconditions(query), object);
  if (query.get('alt') === 'media') return sendMedia(call, object);
  return { json: objectResource(base, bucket, object) };
}

export async function list({ store, base, bucket, query }: Call): Promise<Answer> {
  const glob = query.get('matchGlob');
  if (glob !== null) throw unsupported('matchGlob');
  const maxResults = Number(query.get('maxResults') ?? PAGE_MAX);
  if (!Number.isInteger(maxResults) || maxResults < 0) throw invalid('Invalid value for maxResults.', 'maxResults');
  const option = (name: string): Record<string, string> => (query.get(name) ? { [name]: query.get(name)! } : {});
  const token = query.get('pageToken');
  const { names, prefixes, after } = store.names(bucket).list({
    ...option('prefix'), ...option('delimiter'), ...option('startOffset'), ...option('endOffset'),
    includeTrailingDelimiter: query.get('includeTrailingDelimiter') === 'true',
    maxResults: Math.min(maxResults || PAGE_MAX, PAGE_MAX),
    ...(token ? { after: Buffer.from(token, 'base64url').toString('utf8') } : {}),
  });
  return {
    json: {
      kind: 'storage#objects',
      ...(after === undefined ? {} : { nextPageToken: Buffer.from(after).toString('base64url') }),
      ...(prefixes.length > 0 ? { prefixes } : {}),
      ...(names.length > 0 ? { items: names.map((name) => objectResource(base, bucket, store.object(bucket, name)!)) } : {}),
    },
  };
}

export async function patch(call: Call): Promise<Answer> {
  const changes = objectFields(await readJson(call.request));
  return change(call, (before) => patched(before, changes));
}

export async function update(call: Call): Promise<Answer> {
  const fields = objectFields(await readJson(call.request));
  return change(call, (before) => replaced(before, fields));
}

async function change({ store, base, bucket, object, query }: Call, how: (before: StoredObject) => StoredObject): Promise<Answer> {
  store.objectOrRefuse(bucket, object, query.get('generation'));
  const after = await store.changeObject(bucket, object, query.get('generation'), readPreconditions(query), how);
  return { json: objectResource(base, bucket, after) };
}

export async function remove({ store, bucket, object, query }: Call): Promise<Answer> {
  await store.deleteObject(bucket, object, query.get('generation'), readPreconditions(query));
  return { status: 204 };
}

type ComposeSource = { name?: unknown; generation?: unknown; objectPreconditions?: { ifGenerationMatch?: unknown } };

/** Joins up to 32 objects into one, bytes after bytes. A composite object has no MD5, as in the cloud. */
export async function compose(call: Call): Promise<Answer> {
  const { store, bucket, query } = call;
  const body = await readJson(call.request);
  const sources = body['sourceObjects'];
  if (!Array.isArray(sources) || sources.length === 0) throw invalid('You must provide at least one source component.', 'sourceObjects');
  if (sources.length > COMPOSE_SOURCES_MAX) throw invalid(`The number of source components provided (${sources.length}) exceeds the maximum (${COMPOSE_SOURCES_MAX})`, 'sourceObjects');
  const conditions = readPreconditions(query);
  checkPreconditions(conditions, store.object(bucket, call.object));
  const parts = (sources as ComposeSource[]).map((source) => {
    const generation = source.generation === undefined ? undefined : String(source.generation);
    const part = typeof source.name === 'string' ? store.object(bucket, source.name, generation) : undefined;
    if (part === undefined) throw noObject(bucket, String(source.name));
    const wanted = source.objectPreconditions?.ifGenerationMatch;
    if (wanted !== undefined) checkPreconditions({ ifGenerationMatch: String(wanted) }, part);
    return part;
  });
  const destination = objectFields((body['destination'] ?? {}) as Record<string, unknown>);
  const { contentType } = parts[0]!;
  return joined(call, bucket, bucket, call.object, parts, (sums) => ({
    ...(contentType === undefined ? {} : { contentType }), ...destination, name: call.object, crc32c: sums.crc32c,
    componentCount: parts.reduce((count, part) => count + (part.componentCount ?? 1), 0),
  }));
}

export async function copy(call: Call): Promise<Answer> {
  const { source, body } = await copySource(call);
  return joined(call, call.bucket, call.toBucket, call.toObject, [source], (sums) => copyFields(call, source, body, sums));
}

/** Answers done at once: everything is in one place here. */
export async function rewrite(call: Call): Promise<Answer> {
  const { json: resource } = await copy(call);
  const { size } = resource as { size: string };
  return { json: { kind: 'storage#rewriteResponse', totalBytesRewritten: size, objectSize: size, done: true, resource } };
}

async function copySource(call: Call): Promise<{ source: StoredObject; body: Record<string, unknown> }> {
  const { store, query } = call;
  const body = await readJson(call.request);
  const source = store.objectOrRefuse(call.bucket, call.object, query.get('sourceGeneration'));
  checkPreconditions(sourcePreconditions(query), source);
  checkPreconditions(readPreconditions(query), store.object(call.toBucket, call.toObject));
  return { source, body };
}

/** A copy takes over the source's metadata, unless the body gives its own. */
function copyFields(call: Call, source: StoredObject, body: Record<string, unknown>, sums: { crc32c: string; md5Hash: string }): NewObject {
  const given = objectFields(body);
  const carried = Object.keys(given).length > 0 ? { contentType: source.contentType ?? 'application/octet-stream', ...given } : objectFields(source);
  return {
    ...carried, name: call.toObject, crc32c: sums.crc32c,
    ...(source.componentCount === undefined ? { md5Hash: sums.md5Hash } : { componentCount: source.componentCount }),
  };
}

async function joined(call: Call, from: string, toBucket: string, name: string, parts: StoredObject[], fields: (sums: { crc32c: string; md5Hash: string }) => NewObject): Promise<Answer> {
  const { store } = call;
  const staged = await store.stage();
  try {
    for (const part of parts) {
      if (part.size === '0') continue;
      for await (const chunk of await store.read(from, part.name, part.generation, 0, Number(part.size) - 1)) await staged.append(chunk as Buffer);
    }
  } catch (error) {
    await staged.discard();
    throw error;
  }
  const object = await store.commit(toBucket, staged, fields(staged.checksums()), readPreconditions(call.query));
  return { json: objectResource(call.base, toBucket, object) };
}
