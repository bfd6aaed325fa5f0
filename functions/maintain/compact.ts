// The small objects of an old hour joined into one: in go the objects of one hour, out comes what was done. Called by run.ts.
// gzip members concatenate, so Cloud Storage joins them by compose without anybody reading them.
// A manifest is created before anything else and deleted last, so that a run that was killed anywhere is finished by the next:
// it says which objects become which. Two runs at once work on the same manifest; preconditions let one of them do each step.
import { createHash } from 'node:crypto';
import { compactedObjectName, hourPrefix, parseRawObjectName } from '../raw-object.ts';
import type { RawHour } from '../raw-object.ts';

export type StoredObject = { name: string; generation: string; bytes: number; metadata: Record<string, string> };

/** What is asked of Cloud Storage; tests give their own. All of it is safe to repeat. */
export type CompactionApi = {
  list(prefix: string): Promise<StoredObject[]>;
  /** Undefined when there is none. */
  readJson(name: string): Promise<unknown>;
  /** False when there is one already. */
  createJson(name: string, value: unknown): Promise<boolean>;
  /** Joins the sources into `name` when its generation is `ifGeneration` ('0': absent). Undefined when it is not. */
  compose(name: string, sources: readonly { name: string; generation: string }[], ifGeneration: string): Promise<StoredObject | undefined>;
  setMetadata(name: string, metadata: Record<string, string>): Promise<void>;
  /** Deletes that generation; no error when it is gone. */
  remove(name: string, generation?: string): Promise<void>;
};

type Manifest = { target: string; parts: { name: string; generation: string; bytes: number; events: number; rejected: number }[] };

/** Cloud Storage joins at most this many objects in one call. */
const SOURCES_MAX = 32;

const manifestName = ({ stream, dt, hour }: RawHour): string => `compacting/${stream}/dt=${dt}/hour=${hour}.json`;

export type Compaction = { hour: RawHour; kind: 'nothing_to_do' | 'compacted' | 'another_run' | 'parts_missing'; parts: number };

export async function compactHour(api: CompactionApi, hour: RawHour): Promise<Compaction> {
  const manifest = await manifestOf(api, hour);
  if (manifest === undefined) return { hour, kind: 'nothing_to_do', parts: 0 };
  const parts = manifest.parts.length;
  const target = await composeParts(api, hour, manifest);
  if (target === 'parts_missing') await giveUp(api, hour, manifest);
  if (target === 'another_run' || target === 'parts_missing') return { hour, kind: target, parts };
  const sum = (of: (part: Manifest['parts'][number]) => number): string => String(manifest.parts.reduce((total, part) => total + of(part), 0));
  await api.setMetadata(manifest.target, { events: sum((part) => part.events), rejected: sum((part) => part.rejected), parts: String(parts), stream: hour.stream });
  // Only now, with every byte of them in the target, and only these generations.
  for (const part of manifest.parts) await api.remove(part.name, part.generation);
  await api.remove(manifestName(hour));
  return { hour, kind: 'compacted', parts };
}

/** The manifest of a run that did not end, else a new one; undefined when the hour is one object already. */
async function manifestOf(api: CompactionApi, hour: RawHour): Promise<Manifest | undefined> {
  const unfinished = await api.readJson(manifestName(hour));
  if (unfinished !== undefined) return unfinished as Manifest;
  const objects = (await api.list(hourPrefix(hour))).filter(({ name }) => parseRawObjectName(name) !== undefined);
  if (objects.length < 2) return undefined;
  const parts = objects.map(({ name, generation, bytes, metadata }) =>
    ({ name, generation, bytes, events: Number(metadata['events'] ?? 0), rejected: Number(metadata['rejected'] ?? 0) }));
  const id = createHash('sha256').update(parts.map(({ name, generation }) => `${name}#${generation}`).join('\n')).digest('hex').slice(0, 16);
  const manifest: Manifest = { target: compactedObjectName(hour, id), parts };
  if (await api.createJson(manifestName(hour), manifest)) return manifest;
  return await api.readJson(manifestName(hour)) as Manifest | undefined;
}

/** Makes the target, or goes on where a run stopped. It is whole when it has as many bytes as its parts. */
async function composeParts(api: CompactionApi, hour: RawHour, { target, parts }: Manifest): Promise<StoredObject | 'another_run' | 'parts_missing'> {
  const objects = new Map((await api.list(hourPrefix(hour))).map((object) => [object.name, object]));
  const bytesOf = (count: number): number => parts.slice(0, count).reduce((total, part) => total + part.bytes, 0);
  let made = objects.get(target);
  // The target grows in the order of the parts, so its size says how many it holds.
  let held = made === undefined ? 0 : heldParts(made.bytes, parts);
  if (made !== undefined && held === undefined) {
    await api.remove(target, made.generation);
    made = undefined;
    held = 0;
  }
  for (let count = held ?? 0; count < parts.length;) {
    const next = parts.slice(count, count + SOURCES_MAX - (made === undefined ? 0 : 1));
    if (next.some(({ name, generation }) => objects.get(name)?.generation !== generation)) return 'parts_missing';
    const sources = made === undefined ? next : [{ name: target, generation: made.generation }, ...next];
    const grown = await api.compose(target, sources, made?.generation ?? '0');
    if (grown === undefined || grown.bytes !== bytesOf(count + next.length)) return 'another_run';
    made = grown;
    count += next.length;
  }
  return made!;
}

/** Somebody took parts away (a lifecycle rule, a person): the plan is dropped, and what is left is planned anew next time. */
async function giveUp(api: CompactionApi, hour: RawHour, { target, parts }: Manifest): Promise<void> {
  const objects = new Map((await api.list(hourPrefix(hour))).map((object) => [object.name, object]));
  const made = objects.get(target);
  const held = made === undefined ? undefined : heldParts(made.bytes, parts);
  // A half-made target goes only when all that it holds is still there beside it.
  const isSpare = held !== undefined && parts.slice(0, held).every(({ name, generation }) => objects.get(name)?.generation === generation);
  if (made !== undefined && isSpare) await api.remove(target, made.generation);
  await api.remove(manifestName(hour));
}

function heldParts(bytes: number, parts: Manifest['parts']): number | undefined {
  for (let count = 1, total = 0; count <= parts.length; count += 1) {
    total += parts[count - 1]!.bytes;
    if (total === bytes) return count;
  }
  return undefined;
}
