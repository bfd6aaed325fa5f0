// Ordering keys, without the network: any mix of acknowledging, refusing and leaving, by several consumers, keeps each key in its order.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backlog } from '../../../emulators/pubsub/backlog.ts';
import type { Consumer, Entry, Lease } from '../../../emulators/pubsub/delivery.ts';

const turn = (): Promise<void> => new Promise((done) => { setImmediate(done); });

function entry(id: number, key: string): Entry {
  return { id, topic: 1, publishMs: id, rawBytes: 1, key, holders: 1, raw: undefined, place: { segment: { number: 1, path: '', fd: 0, size: 0, live: 0, liveBytes: 0, newestMs: new Map() }, offset: 0 } };
}

/** A consumer with its leases; `room` is how many it takes in all. */
class Holder implements Consumer {
  readonly leaseMs = Infinity;
  readonly isSerial: boolean;
  held: Lease[] = [];
  room_ = 0;
  readonly onLease: (lease: Lease, holder: Holder) => void;

  constructor(isSerial: boolean, onLease: (lease: Lease, holder: Holder) => void) {
    this.isSerial = isSerial;
    this.onLease = onLease;
  }

  room(): { messages: number; bytes: number } {
    return { messages: this.room_ - this.held.length, bytes: Infinity };
  }

  deliver(leases: Lease[]): void {
    for (const lease of leases) {
      this.held.push(lease);
      this.onLease(lease, this);
    }
  }

  ended(lease: Lease): void {
    this.held = this.held.filter((other) => other !== lease);
  }
}

const STEP = fc.oneof(
  fc.record({ do: fc.constant('add' as const), keys: fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 1, maxLength: 6 }) }),
  fc.record({ do: fc.constantFrom('ack' as const, 'refuse' as const, 'postpone' as const), of: fc.nat(2), which: fc.nat(10) }),
  fc.record({ do: fc.constant('room' as const), of: fc.nat(2), room: fc.integer({ min: 0, max: 5 }) }),
);

test('no message of a key is handed out while an earlier one waits, or is with another consumer, or with one that takes them singly; in the end all are acknowledged', async () => {
  await fc.assert(fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 60 }), async (steps) => {
    const waiting = new Map<string, number[]>();
    const overtaken: string[] = [];
    const onLease = ({ delivery: { entry: { id, key } } }: Lease, holder: Holder): void => {
      if (key === '') return;
      const earlier = waiting.get(key)!.filter((other) => other < id);
      for (const other of earlier) if (holder.isSerial || !holder.held.some(({ delivery }) => delivery.entry.id === other)) overtaken.push(`${id} overtook ${other} of ${key}`);
    };
    const holders = [new Holder(false, onLease), new Holder(false, onLease), new Holder(true, onLease)];
    const acked: number[] = [];
    const backlog = new Backlog(1, { acked: ({ id }) => acked.push(id), refused: () => {}, leased: () => {}, deadLetter: async () => false });
    backlog.rules = { isOrdered: true };
    for (const holder of holders) backlog.join(holder);
    let nextId = 0;
    const finish = (lease: Lease): void => {
      const { id, key } = lease.delivery.entry;
      waiting.set(key, waiting.get(key)!.filter((other) => other !== id));
      backlog.ack(lease.ackId);
    };
    for (const step of steps) {
      if (step.do === 'add') {
        for (const key of step.keys) {
          nextId += 1;
          waiting.set(key, [...waiting.get(key) ?? [], nextId]);
          backlog.add(entry(nextId, key));
        }
      } else if (step.do === 'room') {
        holders[step.of]!.room_ = step.room;
        backlog.wake();
      } else {
        const { held } = holders[step.of]!;
        const lease = held[step.which % Math.max(1, held.length)];
        if (lease === undefined) continue;
        if (step.do === 'ack') finish(lease);
        else if (step.do === 'refuse') {
          const { id, key } = lease.delivery.entry;
          backlog.refuse(lease);
          for (const { delivery } of holders.flatMap((holder) => holder.held)) if (key !== '' && delivery.entry.key === key && delivery.entry.id > id) overtaken.push(`${delivery.entry.id} stayed out when ${id} of ${key} was refused`);
        }
        else backlog.postpone(lease, 0);
      }
      await turn();
      await turn();
    }
    for (const holder of holders) holder.room_ = 1;
    for (let rounds = 0; acked.length < nextId && rounds < 10 * nextId + 10; rounds += 1) {
      backlog.wake();
      await turn();
      await turn();
      for (const holder of holders) for (const lease of [...holder.held]) finish(lease);
    }
    expect([...acked].sort((a, b) => a - b)).toEqual(Array.from({ length: nextId }, (_, n) => n + 1));
    expect(overtaken).toEqual([]);
    expect(backlog.size).toBe(0);
    backlog.close();
  }), { numRuns: 150 });
});
