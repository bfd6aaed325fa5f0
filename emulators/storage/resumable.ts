// Resumable uploads: a POST makes an address, PUTs bring pieces, a broken one goes on where it stopped, also after a restart of this
// process. uploads.ts calls these.
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, Call } from './call.ts';
import { Staged } from './object-file.ts';
import { invalid, Refusal } from './refusal.ts';
import { objectResource } from './resources.ts';
import type { Store, StoredObject } from './store.ts';
import { commitUpload, type Target } from './uploads.ts';

type Session = { target: Target; staged: Staged; turn: Promise<unknown>; done?: StoredObject };

/** Pieces but the last are multiples of this. */
const PIECE_BYTES = 256 * 1_024;

const sessionsOf = new WeakMap<Store, Map<string, Session>>();

export async function startResumable(call: Call, target: Target): Promise<Answer> {
  const id = randomUUID();
  const dir = call.store.uploadsDir;
  await mkdir(dir, { recursive: true });
  const staged = await Staged.create(join(dir, `${id}.data`));
  const beside = join(dir, `${id}.new`);
  await writeFile(beside, JSON.stringify(target), { flush: true });
  await rename(beside, join(dir, `${id}.json`));
  sessions(call.store).set(id, { target, staged, turn: Promise.resolve() });
  const location = `${call.base}/upload/storage/v1/b/${call.bucket}/o?uploadType=resumable&name=${encodeURIComponent(target.name)}&upload_id=${id}`;
  return { headers: { location, 'x-guploader-uploadid': id }, json: {} };
}

export async function continueResumable(call: Call): Promise<Answer> {
  const id = call.query.get('upload_id')!;
  const session = await find(call.store, id);
  const work = (): Promise<Answer> => put(call, id, session);
  // One request at a time: a client that lost its connection asks again while the old request may still be ending.
  const turn = session.turn.then(work, work);
  session.turn = turn.catch(() => {});
  return turn;
}

export async function cancelResumable(call: Call): Promise<Answer> {
  const id = call.query.get('upload_id') ?? '';
  const session = await find(call.store, id);
  await session.staged.discard();
  await forget(call.store, id);
  return { status: 499, json: {} };
}

async function put(call: Call, id: string, session: Session): Promise<Answer> {
  if (session.done !== undefined) return { json: objectResource(call.base, call.bucket, session.done) };
  const range = readContentRange(call.request.headers['content-range']);
  let isWhole = true;
  if (range.from !== undefined) isWhole = await receive(call, session.staged, range.from);
  const { size } = session.staged;
  const total = range.total ?? (range.isOpenEnded && isWhole ? size : undefined);
  if (total !== undefined && size > total) throw invalid(`The upload has ${size} bytes, more than the ${total} that were announced.`);
  if (total === size && (range.from !== undefined || range.total !== undefined)) {
    session.done = await finish(call, id, session);
    return { json: objectResource(call.base, call.bucket, session.done) };
  }
  await session.staged.sync();
  return { status: 308, headers: size === 0 ? {} : { range: `bytes=0-${size - 1}` } };
}

async function finish(call: Call, id: string, session: Session): Promise<StoredObject> {
  try {
    return await commitUpload(call, session.staged, session.target);
  } catch (error) {
    sessions(call.store).delete(id);
    throw error;
  } finally {
    // From here on the object itself is the record; a client that asks after a restart is told 404 and begins anew.
    await unlink(join(call.store.uploadsDir, `${id}.json`)).catch(() => {});
  }
}

/** Appends what comes, skipping what is there already. Answers false when the connection broke; what came is kept. */
async function receive(call: Call, staged: Staged, from: number): Promise<boolean> {
  if (from > staged.size) throw invalid(`The piece begins at byte ${from}, but only ${staged.size} bytes are here.`);
  let skip = staged.size - from;
  try {
    for await (const chunk of call.request as AsyncIterable<Buffer>) {
      if (skip < chunk.length) await staged.append(chunk.subarray(skip));
      skip = Math.max(0, skip - chunk.length);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET' || call.request.destroyed) return false;
    throw error;
  }
}

type ContentRange = { from?: number; total?: number; isOpenEnded: boolean };

function readContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { from: 0, isOpenEnded: true };
  const [, from, to, total] = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(header) ?? [];
  if (total === undefined) throw invalid(`Failed to parse Content-Range header: ${header}`, 'Content-Range');
  const range: ContentRange = { isOpenEnded: to === '*' && total === '*' };
  if (from !== undefined) range.from = Number(from);
  if (total !== '*') range.total = Number(total);
  if (from !== undefined && to !== '*' && total === '*' && (Number(to) - Number(from) + 1) % PIECE_BYTES !== 0) {
    throw invalid(`A piece that is not the last must be a multiple of ${PIECE_BYTES} bytes.`, 'Content-Range');
  }
  return range;
}

async function find(store: Store, id: string): Promise<Session> {
  const known = sessions(store).get(id);
  if (known !== undefined) return known;
  if (!/^[0-9a-f-]{36}$/.test(id)) throw gone();
  const data = join(store.uploadsDir, `${id}.data`);
  const text = await readFile(join(store.uploadsDir, `${id}.json`), 'utf8').catch(() => undefined);
  if (text === undefined || (await stat(data).catch(() => undefined)) === undefined) throw gone();
  const session: Session = { target: JSON.parse(text) as Target, staged: await Staged.reopen(data), turn: Promise.resolve() };
  const meanwhile = sessions(store).get(id);
  if (meanwhile !== undefined) {
    await session.staged.park();
    return meanwhile;
  }
  sessions(store).set(id, session);
  return session;
}

const gone = (): Refusal => new Refusal(404, 'notFound', 'No such upload: it was finished, cancelled or never begun.');

async function forget(store: Store, id: string): Promise<void> {
  sessions(store).delete(id);
  await unlink(join(store.uploadsDir, `${id}.json`)).catch(() => {});
}

function sessions(store: Store): Map<string, Session> {
  let map = sessionsOf.get(store);
  if (map === undefined) sessionsOf.set(store, (map = new Map()));
  return map;
}
