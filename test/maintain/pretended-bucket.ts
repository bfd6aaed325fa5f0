// A Cloud Storage in memory with generations and preconditions, that can be killed after any number of changes.
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { CompactionApi } from '../../functions/maintain/compact.ts';
import { hourPrefix } from '../../functions/raw-object.ts';
import type { RawHour } from '../../functions/raw-object.ts';

export const HOUR: RawHour = { stream: 'events', dt: '2026-01-15', hour: '07' };

type Stored = { bytes: Buffer; generation: string; metadata: Record<string, string> };

export class Killed extends Error {}

/** Some objects in each hour. `killAfter`: this many changes are made, then everything throws until it is set anew. */
export function pretendedBucket(parts: number, hours: readonly RawHour[] = [HOUR]) {
  const objects = new Map<string, Stored>();
  let generations = 100;
  const state = { killAfter: Infinity, changes: 0 };
  const put = (name: string, bytes: Buffer, metadata: Record<string, string> = {}): void => void objects.set(name, { bytes, generation: String(generations += 1), metadata });
  for (const hour of hours) {
    for (let part = 0; part < parts; part += 1) put(`${hourPrefix(hour)}${String(1000 + part)}.ndjson.gz`, gzipSync(`line ${part}\n`), { events: '2', rejected: '1' });
  }
  const change = (): void => { if ((state.changes += 1) > state.killAfter) throw new Killed(); };
  const view = (name: string) => { const { bytes, generation, metadata } = objects.get(name)!; return { name, generation, bytes: bytes.length, metadata }; };
  const api: CompactionApi = {
    list: async (prefix) => [...objects.keys()].filter((name) => name.startsWith(prefix)).sort().map(view),
    readJson: async (name) => (objects.has(name) ? JSON.parse(objects.get(name)!.bytes.toString()) : undefined),
    async createJson(name, value) {
      if (objects.has(name)) return false;
      change();
      put(name, Buffer.from(JSON.stringify(value)));
      return true;
    },
    async compose(name, sources, ifGeneration) {
      expect(sources.length).toBeLessThanOrEqual(32);
      if ((objects.get(name)?.generation ?? '0') !== ifGeneration) return undefined;
      if (sources.some((source) => objects.get(source.name)?.generation !== source.generation)) return undefined;
      change();
      put(name, Buffer.concat(sources.map((source) => objects.get(source.name)!.bytes)));
      return view(name);
    },
    async setMetadata(name, metadata) { change(); objects.get(name)!.metadata = metadata; },
    async remove(name, generation) {
      if (!objects.has(name) || (generation !== undefined && objects.get(name)!.generation !== generation)) return;
      change();
      objects.delete(name);
    },
  };
  const lines = (): string[] => [...objects].filter(([name]) => name.startsWith('raw/')).flatMap(([, { bytes }]) => gunzipSync(bytes).toString().trimEnd().split('\n')).sort();
  return { api, objects, state, lines, put };
}
