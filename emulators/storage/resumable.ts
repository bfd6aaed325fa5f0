// Resumable uploads: a POST makes an address, PUTs bring pieces, a broken one goes on where it stopped, also after a restart of this
// process. uploads.ts calls these.
import { randomUUID } from 'node:crypto';
import { readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, Call } from './call.ts';
import { header } from './call.ts';
import { damaged } from './damage.ts';
import { Staged } from './object-file.ts';
import { invalid, Refusal } from './refusal.ts';
import { objectResource } from './resources.ts';
import type { StoredObject } from './stored.ts';
import type { Store } from './store.ts';
import { commitUpload, type Target } from './uploads.ts';

/** What is on disk of an upload, beside its bytes. `total`: the size once it was told. */
type SessionRecord = { target: Target; startedMs: number; total?: number; isCancelled?: true };
type Session = SessionRecord & { staged?: Staged; turn: Promise<unknown> };

/** Only whole blocks are kept of a piece that is not the last. */
const BLOCK_BYTES = 256 * 1_024;
/** An address is good for a week. */
const SESSION_MS = 7 * 86_400_000;

const sessionsOf = new WeakMap<Store, Map<string, Session>>();

export async function startResumable(call: Call, target: Target): Promise<Answer> {
  const id = randomUUID();
  const length = header(call, 'x-upload-content-length');
  if (length !== undefined && !/^\d+$/.test(length)) throw invalid(`Invalid X-Upload-Content-Length: ${length}`, 'X-Upload-Content-Length');
  const record: SessionRecord = { target, startedMs: call.store.now(), ...(length === undefined ? {} : { total: Number(length) }) };
  const staged = await Staged.create(dataPath(call.store, id));
  await save(call.store, id, record);
  sessions(call.store).set(id, { ...record, staged, turn: Promise.resolve() });
  const location = `${call.base}/upload/storage/v1/b/${call.bucket}/o?uploadType=resumable&name=${encodeURIComponent(target.name)}&upload_id=${id}`;
  return { headers: { location, 'x-guploader-uploadid': id }, text: '' };
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
  session.isCancelled = true;
  const { target, startedMs } = session;
  await save(call.store, id, { target, startedMs, isCancelled: true });
  await session.staged?.discard();
  delete session.staged;
  return CANCELLED;
}

const CANCELLED: Answer = { status: 499, text: '' };

async function put(call: Call, id: string, session: Session): Promise<Answer> {
  if (session.isCancelled === true) return CANCELLED;
  const { staged } = session;
  if (staged === undefined) return answerDone(call, id, session);
  const range = readContentRange(call.request.headers['content-range']);
  const before = staged.size;
  if (range.from === undefined) {
    // A question, or the end of an upload whose bytes are all here.
    if (range.total === staged.size && (session.total === undefined || session.total === range.total)) return finish(call, id, session, staged);
    return incomplete(call, staged.size);
  }
  if (range.from > before) {
    for await (const _rest of call.request);
    throw new Refusal(503, 'backendError', `Invalid request.  According to the Content-Range header, the upload offset is ${range.from} byte(s), which exceeds already uploaded size of ${before} byte(s).`, undefined, { isPlainText: true });
  }
  checkTotal(session, range);
  if (range.total !== undefined && session.total === undefined) {
    session.total = range.total;
    const { target, startedMs } = session;
    await save(call.store, id, { target, startedMs, total: range.total });
  }
  const isWhole = await receive(call, staged, range, session.total);
  const total = session.total ?? (range.isOpenEnded && isWhole ? staged.size : undefined);
  if (total === staged.size && isWhole) return finish(call, id, session, staged);
  await staged.sync();
  return incomplete(call, staged.size);
}

/** Google's Go client asks not to be answered 308, which its HTTP library would take for a redirect: then the status stands in a header. */
function incomplete({ request }: Call, size: number): Answer {
  const range = size === 0 ? {} : { range: `bytes=0-${size - 1}` };
  return request.headers['x-guploader-no-308'] === 'yes' ? { status: 200, headers: { ...range, 'x-http-status-code-override': '308' } } : { status: 308, headers: range };
}

function checkTotal({ total }: Session, range: ContentRange): void {
  if (total !== undefined && range.total !== undefined && range.total !== total) throw invalid(`The upload was announced with ${total} byte(s), and now with ${range.total}.`, 'Content-Range');
  const most = total ?? range.total;
  if (most !== undefined && range.to !== undefined && range.to >= most) throw invalid(`The piece ends at byte ${range.to}, but the upload has ${most} byte(s).`, 'Content-Range');
}

/** What is asked after the end: the object, as long as it is there. */
function answerDone(call: Call, id: string, { target }: Session): Answer {
  const versions = call.store.index(target.bucket).versions.get(target.name);
  const made = [versions?.live, ...(versions?.noncurrent ?? [])].find((version) => version?.meta.uploadId === id)?.meta;
  if (made === undefined) throw gone();
  return { json: objectResource(call.base, call.store.bucket(target.bucket), made) };
}

async function finish(call: Call, id: string, session: Session, staged: Staged): Promise<Answer> {
  let made: StoredObject;
  if (session.total === undefined) {
    // The file gets its tail of metadata now; a restart in that moment must know where the content ends.
    session.total = staged.size;
    await save(call.store, id, { target: session.target, startedMs: session.startedMs, total: staged.size });
  }
  try {
    made = await commitUpload(call, staged, session.target, id);
  } catch (error) {
    sessions(call.store).delete(id);
    await unlink(recordPath(call.store, id)).catch(() => {});
    throw error;
  }
  delete session.staged;
  return { json: objectResource(call.base, call.store.bucket(session.target.bucket), made) };
}

/**
 * Appends what comes, skipping what is there already. Of a piece that does not end the upload only whole blocks are kept. Answers false when the
 * connection broke; the blocks that came are kept.
 */
async function receive(call: Call, staged: Staged, range: ContentRange, total: number | undefined): Promise<boolean> {
  let skip = staged.size - range.from!;
  let held: Buffer = Buffer.alloc(0);
  let bytes = 0;
  let isWhole = true;
  try {
    for await (const chunk of damaged(call, call.request as AsyncIterable<Buffer>)) {
      bytes += chunk.length;
      held = Buffer.concat([held, chunk.subarray(Math.min(skip, chunk.length))]);
      skip = Math.max(0, skip - chunk.length);
      const ready = staged.size + held.length - ((staged.size + held.length) % BLOCK_BYTES) - staged.size;
      if (ready > 0) {
        await staged.append(held.subarray(0, ready));
        held = held.subarray(ready);
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET' && !call.request.destroyed) throw error;
    isWhole = false;
  }
  const expected = range.to === undefined ? undefined : range.to - range.from! + 1;
  if (isWhole && expected !== undefined && bytes !== expected && call.fault === undefined) {
    throw invalid(`Invalid request.  There were ${bytes} byte(s) in the request body.  There should have been ${expected} byte(s) (starting at offset ${range.from} and ending at offset ${range.to}) according to the Content-Range header.`, 'Content-Range');
  }
  const isLast = total === undefined ? range.isOpenEnded : staged.size + held.length >= total;
  if (isWhole && isLast) await staged.append(held);
  return isWhole;
}

type ContentRange = { from?: number; to?: number; total?: number; isOpenEnded: boolean };

/** Without the header, and with `*` at both ends, the body is the whole rest. */
function readContentRange(text: string | undefined): ContentRange {
  if (text === undefined) return { from: 0, isOpenEnded: true };
  const [, from, to, total] = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(text) ?? [];
  if (total === undefined || (to !== undefined && to !== '*' && Number(to) < Number(from))) throw invalid(`Failed to parse Content-Range header: ${text}`, 'Content-Range');
  return {
    isOpenEnded: to === '*' && total === '*',
    ...(from === undefined ? {} : { from: Number(from) }), ...(to === undefined || to === '*' ? {} : { to: Number(to) }), ...(total === '*' ? {} : { total: Number(total) }),
  };
}

async function find(store: Store, id: string): Promise<Session> {
  const session = sessions(store).get(id) ?? await load(store, id);
  if (store.now() - session.startedMs < SESSION_MS) return session;
  await session.staged?.discard();
  delete session.staged;
  throw new Refusal(410, 'gone', 'The upload session is no longer available: it is older than a week.');
}

async function load(store: Store, id: string): Promise<Session> {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw gone();
  const text = await readFile(recordPath(store, id), 'utf8').catch(() => undefined);
  if (text === undefined) throw gone();
  const isOpen = (await stat(dataPath(store, id)).catch(() => undefined)) !== undefined;
  const record = JSON.parse(text) as SessionRecord;
  const session: Session = { ...record, turn: Promise.resolve(), ...(isOpen ? { staged: await Staged.reopen(dataPath(store, id), BLOCK_BYTES, record.total) } : {}) };
  const meanwhile = sessions(store).get(id);
  if (meanwhile !== undefined) {
    await session.staged?.park();
    return meanwhile;
  }
  sessions(store).set(id, session);
  return session;
}

const gone = (): Refusal => new Refusal(404, 'notFound', 'No such upload session.');

async function save(store: Store, id: string, record: SessionRecord): Promise<void> {
  const beside = join(store.uploadsDir, `${id}.new`);
  await writeFile(beside, JSON.stringify(record), { flush: true });
  await rename(beside, recordPath(store, id));
}

const dataPath = (store: Store, id: string): string => join(store.uploadsDir, `${id}.data`);
const recordPath = (store: Store, id: string): string => join(store.uploadsDir, `${id}.json`);

function sessions(store: Store): Map<string, Session> {
  let map = sessionsOf.get(store);
  if (map === undefined) sessionsOf.set(store, (map = new Map()));
  return map;
}
