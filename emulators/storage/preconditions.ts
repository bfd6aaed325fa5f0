// ifGenerationMatch and its kin, read from a request and held against what is stored; store.ts asks again at the commit.
import type { Call } from './call.ts';
import { conditionNotMet, invalid } from './refusal.ts';

const NAMES = ['ifGenerationMatch', 'ifGenerationNotMatch', 'ifMetagenerationMatch', 'ifMetagenerationNotMatch'] as const;
export type Preconditions = Partial<Record<(typeof NAMES)[number], string>>;

/** What they are held against; a missing object has generation 0. */
export type Versioned = { generation?: string; metageneration: string };

/** Reads them from a query; `rename` gives the name in the query (copies have ifSourceGenerationMatch). */
export function readPreconditions(query: URLSearchParams, rename: (name: string) => string = (name) => name): Preconditions {
  const found: Preconditions = {};
  for (const name of NAMES) {
    const value = query.get(rename(name));
    if (value === null) continue;
    if (!/^\d+$/.test(value)) throw invalid(`Invalid value for: ${rename(name)}: ${value}`, rename(name));
    found[name] = value;
  }
  return found;
}

export const sourcePreconditions = (query: URLSearchParams): Preconditions => readPreconditions(query, (name) => name.replace('if', 'ifSource'));

export function checkPreconditions(conditions: Preconditions, current: Versioned | undefined): void {
  const generation = current?.generation ?? '0';
  const metageneration = current?.metageneration ?? '0';
  const holds = {
    ifGenerationMatch: (wanted: string) => wanted === generation,
    ifGenerationNotMatch: (unwanted: string) => unwanted !== generation,
    // Of an object that is not there these two hold never and always.
    ifMetagenerationMatch: (wanted: string) => wanted === metageneration,
    ifMetagenerationNotMatch: (unwanted: string) => unwanted !== metageneration,
  };
  for (const name of NAMES) {
    const value = conditions[name];
    if (value !== undefined && !holds[name](value)) throw conditionNotMet(name);
  }
}

/** If-Match and If-None-Match of a read: ETags in quotes or without, several with commas, or `*`. */
export function checkEtags({ request }: Call, etag: string): void {
  const names = (header: string | undefined): boolean | undefined =>
    header?.split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '').replace(/^"(.*)"$/, '$1')));
  if (names(request.headers['if-match']) === false) throw conditionNotMet('If-Match');
  if (names(request.headers['if-none-match']) === true) throw conditionNotMet('If-None-Match');
}
