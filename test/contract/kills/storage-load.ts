// Cloud Storage under load: objects are uploaded in both ways, overwritten, composed and deleted, some with checksums or preconditions that are wrong.
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Bucket } from '@google-cloud/storage';
import type { GoogleClients } from '../google-clients.ts';
import { outcomeOf, work, type Answered, type Load, type Verdict } from './load.ts';

const ABSENT = 'absent';
const CHUNK = 256 * 1024;

/** What may be under a name: one thing after an answer, two while nobody knows whether the last call was carried out. */
type State = { allowed: string[]; isPromised: boolean };

export function storageLoad(): Load {
  const tally = { done: 0 };
  const states = new Map<string, State>();
  const touched = new Set<string>();

  const now = (name: string): string[] => states.get(name)?.allowed ?? [ABSENT];
  function settle(name: string, next: string, answered: Answered): void {
    touched.add(name);
    if (answered === 'done') states.set(name, { allowed: [next], isPromised: true });
    else if (answered === 'unknown') states.set(name, { allowed: [...new Set([...now(name), next])], isPromised: false });
    else if (!states.has(name)) states.set(name, { allowed: [ABSENT], isPromised: true });
  }

  async function step(bucket: Bucket, key: string, turn: number, made: string[]): Promise<Answered> {
    const name = `${key}/${turn}`;
    switch (turn % 6) {
      case 0: return save(bucket, name, bytesOf(name, 1_000 + (turn * 7_919) % 60_000), made);
      case 1: return saveResumable(bucket, name, bytesOf(name, 2 * CHUNK + turn), made);
      case 2: return compose(bucket, name, made);
      case 3: return overwrite(bucket, made.at(-1), turn);
      case 4: return saveWrong(bucket, name);
      default: return remove(bucket, turn % 12 === 5 ? made.shift() : undefined);
    }
  }

  async function save(bucket: Bucket, name: string, bytes: Buffer, made: string[]): Promise<Answered> {
    const answered = await outcomeOf(bucket.file(name).save(bytes, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }));
    settle(name, hashOf(bytes), answered);
    if (answered === 'done') made.push(name);
    return answered;
  }

  async function saveResumable(bucket: Bucket, name: string, bytes: Buffer, made: string[]): Promise<Answered> {
    const answered = await outcomeOf(pipeline(Readable.from([bytes]), bucket.file(name).createWriteStream({ resumable: true, chunkSize: CHUNK, preconditionOpts: { ifGenerationMatch: 0 } })));
    settle(name, hashOf(bytes), answered);
    if (answered === 'done') made.push(name);
    return answered;
  }

  async function compose(bucket: Bucket, name: string, made: string[]): Promise<Answered> {
    const sources = made.slice(-2);
    if (sources.length < 2 || sources.some((source) => contents.get(now(source)[0]!) === undefined)) return 'done';
    const whole = Buffer.concat(sources.map((source) => contents.get(now(source)[0]!)!));
    const answered = await outcomeOf(bucket.combine(sources, name));
    settle(name, hashOf(whole), answered);
    return answered;
  }

  async function overwrite(bucket: Bucket, name: string | undefined, turn: number): Promise<Answered> {
    if (name === undefined) return 'done';
    const bytes = bytesOf(`${name}-${turn}`, 5_000);
    const answered = await outcomeOf(bucket.file(name).save(bytes, { resumable: false }));
    settle(name, hashOf(bytes), answered);
    return answered;
  }

  async function saveWrong(bucket: Bucket, name: string): Promise<Answered> {
    const bytes = bytesOf(name, 3_000);
    const answered = await outcomeOf(bucket.file(name).save(bytes, { resumable: false, validation: false, metadata: { md5Hash: createHash('md5').update('other').digest('base64') } }));
    // It can't be done, whatever became of the answer.
    settle(name, ABSENT, answered === 'done' ? 'done' : 'refused');
    return answered;
  }

  async function remove(bucket: Bucket, name: string | undefined): Promise<Answered> {
    if (name === undefined) return 'done';
    const answered = await outcomeOf(bucket.file(name).delete());
    settle(name, ABSENT, answered);
    return answered;
  }

  async function check({ storage }: GoogleClients): Promise<Verdict> {
    const bucket = storage.bucket('load');
    const [files] = await bucket.getFiles();
    const listed = new Map(files.map((file) => [file.name, file]));
    const verdict: Verdict = { checked: 0, lost: [], unexpected: [...listed.keys()].filter((name) => !states.has(name)).map((name) => `object ${name}, which was never sent`) };
    for (const name of touched) {
      const state = states.get(name)!;
      const found = listed.has(name) ? hashOf((await bucket.file(name).download({ validation: 'crc32c' }))[0]) : ABSENT;
      if (state.isPromised) verdict.checked += 1;
      if (!state.allowed.includes(found)) (state.isPromised && state.allowed[0] !== ABSENT ? verdict.lost : verdict.unexpected).push(`object ${name}: ${found}, expected ${state.allowed.join(' or ')}`);
      states.set(name, { allowed: [found], isPromised: true });
    }
    // What was there before this round must be there still; its bytes were compared then.
    for (const [name, { allowed }] of states) if (allowed[0] !== ABSENT && !listed.has(name) && !touched.has(name)) verdict.lost.push(`object ${name}`);
    touched.clear();
    return verdict;
  }

  return {
    service: 'storage', tally, check,
    async prepare({ storage }) {
      await storage.createBucket('load');
    },
    async run({ storage }, isOver, round) {
      const made = Array.from({ length: 4 }, (): string[] => []);
      await work(tally, 4, isOver, (worker, turn) => step(storage.bucket('load'), `r${round}w${worker}`, turn, made[worker]!));
    },
    async sabotage({ storage }) {
      const bucket = storage.bucket('load');
      await save(bucket, 'half', bytesOf('half', 10_000), []);
      await bucket.file('half').save(bytesOf('half', 5_000), { resumable: false });
    },
  };
}

const contents = new Map<string, Buffer>();

/** Bytes that belong to this name alone. */
function bytesOf(name: string, length: number): Buffer {
  const block = createHash('sha512').update(name).digest();
  return Buffer.alloc(length, block);
}

function hashOf(bytes: Buffer): string {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  // Kept for compositions, of the small ones only.
  if (bytes.length < 100_000) contents.set(hash, bytes);
  return hash;
}
