// Object names of a bucket in the order in which Cloud Storage lists them (by their UTF-8 bytes): prefix, delimiter, pages. objects.ts lists with it.

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

export type Listing = { prefix?: string; delimiter?: string; startOffset?: string; endOffset?: string; after?: string; includeTrailingDelimiter?: boolean; maxResults: number; matches?: (name: string) => boolean };
export type Listed = { names: string[]; prefixes: string[]; /** Where the next page goes on; absent at the end. */ after?: string };

export class NameList {
  private sorted: string[] = [];

  get count(): number {
    return this.sorted.length;
  }

  reset(sorted: string[]): void {
    this.sorted = sorted;
  }

  add(name: string): void {
    const at = this.position(name);
    if (this.sorted[at] !== name) this.sorted.splice(at, 0, name);
  }

  delete(name: string): void {
    const at = this.position(name);
    if (this.sorted[at] === name) this.sorted.splice(at, 1);
  }

  /** One page: names and, with a delimiter, the prefixes that stand for many names. Both count towards maxResults. */
  list({ prefix = '', delimiter, startOffset = '', endOffset, after, includeTrailingDelimiter = false, maxResults, matches = () => true }: Listing): Listed {
    const listed: Listed = { names: [], prefixes: [] };
    const from = [prefix, startOffset].sort(compareUtf8)[1]!;
    let last = '';
    for (let at = this.position(after !== undefined && compareUtf8(after, from) >= 0 ? after : from); at < this.sorted.length; at += 1) {
      const name = this.sorted[at]!;
      if (!name.startsWith(prefix) || (endOffset !== undefined && compareUtf8(name, endOffset) >= 0)) break;
      if (after !== undefined && (compareUtf8(name, after) <= 0 || (delimiter !== undefined && after.endsWith(delimiter) && name.startsWith(after)))) continue;
      if (!matches(name)) continue;
      const cut = delimiter === undefined ? -1 : name.indexOf(delimiter, prefix.length);
      const group = cut < 0 ? undefined : name.slice(0, cut + delimiter!.length);
      const isSeen = group !== undefined && group === listed.prefixes.at(-1);
      const isNamed = group === undefined || (includeTrailingDelimiter && name === group);
      if (isSeen && !isNamed) continue;
      if (listed.names.length + listed.prefixes.length >= maxResults) return { ...listed, after: last };
      if (group !== undefined && !isSeen) listed.prefixes.push(group);
      if (isNamed) listed.names.push(name);
      last = group ?? name;
    }
    return listed;
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
