// What the journal's records say, as bytes and back: a message, acknowledgements, attempts that failed, leases, or a change of topics, subscriptions and snapshots.
import type { SubscriptionResource, TopicResource } from './resources.ts';
import type { SnapshotResource } from './snapshots.ts';

/** Topics and subscriptions go by small numbers in the journal; a number is never used twice. */
export type AdminChange =
  | { put_topic: { number: number; topic: TopicResource } }
  | { delete_topic: { number: number } }
  | { put_subscription: { number: number; topic_number: number; subscription: SubscriptionResource; made_at_id?: number } }
  | { delete_subscription: { number: number } }
  | { put_snapshot: SnapshotResource }
  | { delete_snapshot: { name: string } };

export type MessageHead = {
  topic: number;
  id: number;
  publishMs: number;
  /** Absent: every subscription of the topic, as at publishing. Given: these only (a message moved by compaction, or sought back). */
  subscriptions?: number[];
};

export type JournalRecord =
  | { kind: 'message'; head: MessageHead; rawOffset: number }
  | { kind: 'acks'; subscription: number; ids: number[] }
  | { kind: 'attempts'; subscription: number; id: number; attempts: number }
  | { kind: 'lease'; subscription: number; id: number; lease: KeptLease }
  | { kind: 'admin'; changes: AdminChange[] };

/** A lease that outlives a restart (exactly-once delivery). `endsMs`: on the machine's own clock; 0: it ended. */
export type KeptLease = { ackId: string; endsMs: number };

const MESSAGE = 1;
const ACKS = 2;
const ADMIN = 3;
const ATTEMPTS = 4;
const LEASE = 5;
const ALL = 0xffff;
const MESSAGE_HEAD_BYTES = 1 + 4 + 8 + 8 + 2;

export const messageHeadBytes = ({ subscriptions }: MessageHead): number => MESSAGE_HEAD_BYTES + 4 * (subscriptions?.length ?? 0);

export function encodeMessageHead({ topic, id, publishMs, subscriptions }: MessageHead): Buffer {
  const bytes = Buffer.allocUnsafe(MESSAGE_HEAD_BYTES + 4 * (subscriptions?.length ?? 0));
  bytes.writeUInt8(MESSAGE, 0);
  bytes.writeUInt32LE(topic, 1);
  bytes.writeDoubleLE(id, 5);
  bytes.writeDoubleLE(publishMs, 13);
  bytes.writeUInt16LE(subscriptions?.length ?? ALL, 21);
  subscriptions?.forEach((number, index) => bytes.writeUInt32LE(number, MESSAGE_HEAD_BYTES + 4 * index));
  return bytes;
}

export function encodeAcks(subscription: number, ids: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(5 + 8 * ids.length);
  bytes.writeUInt8(ACKS, 0);
  bytes.writeUInt32LE(subscription, 1);
  ids.forEach((id, index) => bytes.writeDoubleLE(id, 5 + 8 * index));
  return bytes;
}

/** How often a message was delivered in vain: what the dead-letter policy counts. */
export function encodeAttempts(subscription: number, id: number, attempts: number): Buffer {
  const bytes = Buffer.allocUnsafe(15);
  bytes.writeUInt8(ATTEMPTS, 0);
  bytes.writeUInt32LE(subscription, 1);
  bytes.writeDoubleLE(id, 5);
  bytes.writeUInt16LE(Math.min(attempts, 0xffff), 13);
  return bytes;
}

export function encodeLease(subscription: number, id: number, { ackId, endsMs }: KeptLease): Buffer {
  const bytes = Buffer.allocUnsafe(21);
  bytes.writeUInt8(LEASE, 0);
  bytes.writeUInt32LE(subscription, 1);
  bytes.writeDoubleLE(id, 5);
  bytes.writeDoubleLE(endsMs, 13);
  return Buffer.concat([bytes, Buffer.from(ackId, 'latin1')]);
}

export function encodeAdmin(changes: readonly AdminChange[]): Buffer {
  return Buffer.concat([Buffer.of(ADMIN), Buffer.from(JSON.stringify(changes), 'utf8')]);
}

export function decodeRecord(payload: Buffer): JournalRecord {
  switch (payload[0]) {
    case MESSAGE: {
      const count = payload.readUInt16LE(21);
      const head: MessageHead = { topic: payload.readUInt32LE(1), id: payload.readDoubleLE(5), publishMs: payload.readDoubleLE(13) };
      if (count === ALL) return { kind: 'message', head, rawOffset: MESSAGE_HEAD_BYTES };
      head.subscriptions = Array.from({ length: count }, (_, index) => payload.readUInt32LE(MESSAGE_HEAD_BYTES + 4 * index));
      return { kind: 'message', head, rawOffset: MESSAGE_HEAD_BYTES + 4 * count };
    }
    case ACKS:
      return { kind: 'acks', subscription: payload.readUInt32LE(1), ids: Array.from({ length: (payload.length - 5) / 8 }, (_, index) => payload.readDoubleLE(5 + 8 * index)) };
    case ATTEMPTS:
      return { kind: 'attempts', subscription: payload.readUInt32LE(1), id: payload.readDoubleLE(5), attempts: payload.readUInt16LE(13) };
    case LEASE:
      return { kind: 'lease', subscription: payload.readUInt32LE(1), id: payload.readDoubleLE(5), lease: { endsMs: payload.readDoubleLE(13), ackId: payload.toString('latin1', 21) } };
    case ADMIN:
      return { kind: 'admin', changes: JSON.parse(payload.toString('utf8', 1)) as AdminChange[] };
    default:
      throw new Error(`The journal holds a record of kind ${payload[0]}, which this version does not know.`);
  }
}
