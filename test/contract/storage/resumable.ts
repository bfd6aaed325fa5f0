// The steps of a resumable upload as requests: its beginning by Google's client, pieces and questions to its address. The resumable cases take them.
import { createHash } from 'node:crypto';
import type { Reply, StorageWorld } from './world.ts';

/** Pieces are multiples of it. */
export const BLOCK = 256 * 1_024;
export const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('base64');

/** A PUT to the address of an upload. */
export const piece = (world: StorageWorld, uri: string, range: string | undefined, body: Buffer | undefined, headers: Record<string, string> = {}): Promise<Reply> =>
  world.ask(`PUT ${uri}`, { headers: { ...headers, ...(range === undefined ? {} : { 'content-range': range }) }, ...(body === undefined ? {} : { body }) });
export const start = async (world: StorageWorld, what: string, options: object = {}): Promise<{ uri: string; file: ReturnType<StorageWorld['file']> }> => {
  const file = world.file(what);
  const [uri] = await file.createResumableUpload(options);
  return { uri, file };
};
/** Status and stored range of an answer. */
export const state = (reply: Reply): [number, string | null] => [reply.status, reply.headers.get('range')];
