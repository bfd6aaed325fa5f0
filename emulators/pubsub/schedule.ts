// Things that wait for a moment: a heap ordered by time, with one timer. Used for redeliveries that back off.
// It runs on the process's own monotonic time: moving the local clock must not fire every backoff at once.

type Waiting<T> = { item: T; dueMs: number };

export class Schedule<T> {
  private readonly heap: Waiting<T>[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly due: (item: T) => void;

  constructor(due: (item: T) => void) {
    this.due = due;
  }

  add(item: T, afterMs: number): void {
    const dueMs = performance.now() + afterMs;
    let index = this.heap.push({ item, dueMs }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.heap[parent]!.dueMs <= dueMs) break;
      this.swap(index, parent);
      index = parent;
    }
    if (index === 0) this.arm();
  }

  get size(): number {
    return this.heap.length;
  }

  /** All that wait, whatever their moment. */
  takeAll(): T[] {
    clearTimeout(this.timer);
    return this.heap.splice(0).map(({ item }) => item);
  }

  close(): void {
    clearTimeout(this.timer);
    this.heap.length = 0;
  }

  private arm(): void {
    clearTimeout(this.timer);
    const first = this.heap[0];
    if (first !== undefined) this.timer = setTimeout(() => this.fire(), Math.max(1, first.dueMs - performance.now()));
  }

  private fire(): void {
    while (this.heap.length > 0 && this.heap[0]!.dueMs <= performance.now()) this.due(this.takeFirst());
    this.arm();
  }

  private takeFirst(): T {
    const { item } = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink();
    }
    return item;
  }

  private sink(): void {
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      if (left >= this.heap.length) return;
      const right = left + 1;
      const child = right < this.heap.length && this.heap[right]!.dueMs < this.heap[left]!.dueMs ? right : left;
      if (this.heap[index]!.dueMs <= this.heap[child]!.dueMs) return;
      this.swap(index, child);
      index = child;
    }
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }
}
