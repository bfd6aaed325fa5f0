// Messages with an ordering key, on a subscription that keeps their order: one line for each key. backlog.ts puts them in, asks for the next that
// may go out, and takes them out when they are acknowledged.
import type { Consumer, Delivery, Lease } from './delivery.ts';

type Line = Delivery[];

export class KeyLines {
  private readonly lines = new Map<string, Line>();
  /** Keys that may have something to give; looked at in turn, so that no key starves another. */
  private readonly open = new Set<string>();

  /** At the end of its key's line. */
  add(delivery: Delivery): void {
    const { key } = delivery.entry;
    const line = this.lines.get(key);
    if (line === undefined) this.lines.set(key, [delivery]);
    else line.push(delivery);
    this.open.add(key);
  }

  /**
   * The next of some line. While earlier messages of a key are under way, later ones go only to the consumer that has those, and never to one
   * that can't keep them apart (a push endpoint).
   */
  next(consumer: Consumer): Delivery | undefined {
    for (const key of this.open) {
      const line = this.lines.get(key)!;
      const index = line.findIndex(({ lease }) => lease === undefined);
      const delivery = line[index];
      if (delivery === undefined || delivery.isWaiting) {
        this.open.delete(key); // until something of it ends
        continue;
      }
      const isFree = index === 0 || (!consumer.isSerial && line.slice(0, index).every(({ lease }) => lease!.consumer === consumer));
      if (!isFree) continue;
      this.open.delete(key);
      this.open.add(key);
      return delivery;
    }
    return undefined;
  }

  /** Something of this key ended, or its backoff did. */
  reopen({ entry: { key } }: Delivery): void {
    if (this.lines.has(key)) this.open.add(key);
  }

  /** What stands behind it and is under way: it must come again, after this one. */
  leasedBehind(delivery: Delivery): Lease[] {
    const line = this.lines.get(delivery.entry.key) ?? [];
    return line.slice(line.indexOf(delivery) + 1).flatMap(({ lease }) => lease ?? []);
  }

  remove(delivery: Delivery): void {
    const { key } = delivery.entry;
    const line = this.lines.get(key);
    if (line === undefined) return;
    const index = line.indexOf(delivery);
    if (index !== -1) line.splice(index, 1);
    if (line.length > 0) return void this.open.add(key);
    this.lines.delete(key);
    this.open.delete(key);
  }

  /** After a seek: what came back is older than what waits. */
  sort(): void {
    for (const line of this.lines.values()) line.sort((a, b) => a.entry.id - b.entry.id);
  }

  clear(): void {
    this.lines.clear();
    this.open.clear();
  }
}
