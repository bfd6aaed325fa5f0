// One pushed message in, accepted (its own bytes are an object) or retry out. Called by function.ts.
// Nothing is decoded: what cannot be read is archived as it was sent, like everything else.
import { createHash } from 'node:crypto';
import type { PushedMessage } from '../../envelope.ts';
import { ingestError } from '../../errors.ts';
import { accepted, retry } from '../../outcome.ts';
import type { Outcome } from '../../outcome.ts';
import { hourOf, hourPrefix, rawObjectName } from '../../raw-object.ts';
import { readPush } from '../../read-message.ts';

export type ObjectToCreate = {
  name: string;
  bytes: Uint8Array;
  contentType: string;
  /** Cloud Storage refuses the object when its bytes are not these, so a damaged upload never becomes one. */
  md5Base64: string;
  metadata: Record<string, string>;
};
/** Creates the object if it is absent; false when there is one of that name. Throws for trouble of Cloud Storage's. */
export type CreateObject = (object: ObjectToCreate) => Promise<boolean>;

export type Archiving = { createObject: CreateObject; clock: () => number };
export type Archived = { name: string; wasThere: boolean } | { replayOf: string };

export async function archivePush(body: Buffer, archiving: Archiving): Promise<Outcome<Archived>> {
  const pushed = readPush(body);
  if (pushed.kind === 'accepted') return archiveMessage(pushed.value, archiving);
  if (pushed.kind === 'retry') return pushed;
  // Not Pub/Sub's wrapping: kept as it came, named by its content, so that nothing is acknowledged away.
  const name = `${hourPrefix(hourOf('unreadable', archiving.clock()))}${createHash('sha256').update(body).digest('hex')}.json`;
  return create({ name, bytes: body, contentType: 'application/json', md5Base64: md5(body), metadata: { reason: pushed.error.message.slice(0, 1_024) } }, archiving);
}

export async function archiveMessage(message: PushedMessage, archiving: Archiving): Promise<Outcome<Archived>> {
  const { attributes, messageId, publishTimeMs, data } = message;
  // Its original is in the archive, which is where the replay found it.
  if (attributes.replay_of !== undefined) return accepted({ replayOf: attributes.replay_of });
  return create({
    name: rawObjectName(streamOf(message), messageId, publishTimeMs),
    bytes: data,
    // No Content-Encoding: Cloud Storage would inflate the file for some readers and not for others.
    contentType: 'application/gzip',
    md5Base64: md5(data),
    metadata: { ...countsOf(attributes), message_id: messageId, publish_time: new Date(publishTimeMs).toISOString() },
  }, archiving);
}

/** Only the attributes that are ours: an object's metadata has 8 KiB, a message's attributes may have more. */
function countsOf(attributes: PushedMessage['attributes']): Record<string, string> {
  const known = ['stream', 'envelope', 'events', 'rejected', 'encoding'] as const;
  return Object.fromEntries(known.flatMap((name) => attributes[name] === undefined ? [] : [[name, attributes[name]]]));
}

/** By the attribute, else by the subscription's name ({prefix}-{stream}-to-storage): a message without attributes is archived too. */
function streamOf({ attributes, subscription }: PushedMessage): string {
  const stream = attributes.stream ?? /-([a-z][a-z0-9_]*)-to-storage$/.exec(subscription)?.[1];
  return stream !== undefined && /^[a-z][a-z0-9_-]{0,39}$/.test(stream) ? stream : 'unreadable';
}

async function create(object: ObjectToCreate, { createObject }: Archiving): Promise<Outcome<Archived>> {
  try {
    return accepted({ name: object.name, wasThere: !await createObject(object) });
  } catch (error) {
    return retry(ingestError('storage_unavailable', { reason: (error as Error).message }));
  }
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');
