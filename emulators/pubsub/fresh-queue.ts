// Messages that were never handed out, in the order in which they came. backlog.ts fills and empties it.
import type { Entry } from './delivery.ts';

/** Taken entries are cut off in masses, since moving up a long array for each would cost more than the delivery. */
const CUT_FROM = 1_024;

export class FreshQueue {
  private entries: Entry[] = [];
  private from = 0;

  get size(): number {
    return this.entries.length - this.from;
  }

  get first(): Entry | undefined {
    return this.entries[this.from];
  }

  push(entry: Entry): void {
    this.entries.push(entry);
  }

  take(): Entry | undefined {
    const entry = this.entries[this.from];
    if (entry === undefined) return undefined;
    this.from += 1;
    if (this.from > CUT_FROM && this.from * 2 > this.entries.length) this.cut();
    return entry;
  }

  all(): Entry[] {
    return this.entries.slice(this.from);
  }

  /** Into the order of publishing. */
  sort(): void {
    this.cut();
    this.entries.sort((a, b) => a.id - b.id);
  }

  drop(isDropped: (entry: Entry) => boolean): void {
    this.entries = this.all().filter((entry) => !isDropped(entry));
    this.from = 0;
  }

  private cut(): void {
    this.entries = this.all();
    this.from = 0;
  }
}
