// One page of objects.list: prefix, delimiter, offsets, glob and page tokens over the names of a bucket. objects.ts calls it.
import { invalid } from './refusal.ts';
import { compareUtf8, type NameList } from './name-list.ts';

export type Listing<T> = {
  prefix?: string;
  delimiter?: string;
  startOffset?: string;
  endOffset?: string;
  includeTrailingDelimiter?: boolean;
  matches?: (name: string) => boolean;
  maxResults: number;
  pageToken?: string;
  /** What is listed of a name, each with what orders it within the name: its versions, or the one that is live. */
  itemsOf: (name: string) => readonly T[];
  generationOf: (item: T) => string;
};
export type Page<T> = { items: T[]; prefixes: string[]; nextPageToken?: string };

/** How far the pages before have come. */
type Mark = { name?: string; generation?: string; group?: string };

/** Items and prefixes both count towards maxResults; each prefix is told once over all pages. */
export function listPage<T>(names: NameList, listing: Listing<T>): Page<T> {
  const { prefix = '', delimiter, startOffset = '', endOffset, matches, maxResults, itemsOf, generationOf } = listing;
  const page: Page<T> = { items: [], prefixes: [] };
  const mark = readToken(listing.pageToken);
  const isFull = (): boolean => page.items.length + page.prefixes.length >= maxResults;
  const start = [prefix, startOffset, mark.name ?? '', mark.group ?? ''].sort(compareUtf8).at(-1)!;
  for (const name of names.from(start)) {
    if (!name.startsWith(prefix) || (endOffset !== undefined && compareUtf8(name, endOffset) >= 0)) break;
    if (matches !== undefined && !matches(name)) continue;
    const cut = delimiter === undefined ? -1 : name.indexOf(delimiter, prefix.length);
    const group = cut < 0 ? undefined : name.slice(0, cut + delimiter!.length);
    if (group !== undefined && group !== mark.group) {
      if (isFull()) return { ...page, nextPageToken: writeToken(mark) };
      page.prefixes.push(group);
      mark.group = group;
    }
    if (group !== undefined && !(listing.includeTrailingDelimiter === true && name === group)) continue;
    for (const item of itemsOf(name)) {
      const generation = generationOf(item);
      if (mark.name === name && BigInt(generation) <= BigInt(mark.generation!)) continue;
      if (isFull()) return { ...page, nextPageToken: writeToken(mark) };
      page.items.push(item);
      mark.name = name;
      mark.generation = generation;
    }
  }
  return page;
}

const writeToken = (mark: Mark): string => Buffer.from(JSON.stringify(mark)).toString('base64url');

function readToken(token: string | undefined): Mark {
  if (token === undefined || token === '') return {};
  try {
    const mark = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Mark;
    if (mark.generation !== undefined) BigInt(mark.generation);
    return { ...mark };
  } catch {
    throw invalid(`Invalid page token: ${token}`, 'pageToken');
  }
}
