// Names in the order in which Cloud Storage lists them (by their UTF-8 bytes), in memory. store.ts keeps three of these for a bucket; listing.ts reads them.

/** UTF-16 order is UTF-8 order but for surrogates, which stand for code points above all others. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);

export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

export class NameList {
  private sorted: string[] = [];

  get count(): number {
    return this.sorted.length;
  }

  /** All at once, in any order. */
  reset(names: string[]): void {
    this.sorted = names.sort(compareUtf8);
  }

  add(name: string): void {
    const at = this.position(name);
    if (this.sorted[at] !== name) this.sorted.splice(at, 0, name);
  }

  delete(name: string): void {
    const at = this.position(name);
    if (this.sorted[at] === name) this.sorted.splice(at, 1);
  }

  /** The names that are not before `start`, in order. */
  *from(start: string): Generator<string> {
    for (let at = this.position(start); at < this.sorted.length; at += 1) yield this.sorted[at]!;
  }

  /** Index of the first name that is not before `name`. */
  private position(name: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.sorted[middle]!, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
