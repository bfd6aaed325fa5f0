// A seeded generator of numbers and what is made of them: the same seed gives the same phones. phones.ts and session.ts draw from it.

export type Random = {
  /** From 0 to 1, without 1. */
  next(): number;
  /** A whole number from 0 to `below` - 1. */
  index(below: number): number;
  pick<T>(items: readonly T[]): T;
  isOneIn(percent: number): boolean;
  /** A UUID of version 4. */
  uuid(): string;
};

/** mulberry32: 32 bits of state, good enough for pretend phones. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const next = (): number => word() / 2 ** 32;
  const index = (below: number): number => Math.floor(next() * below);
  return {
    next, index,
    pick: (items) => items[index(items.length)]!,
    isOneIn: (percent) => next() * 100 < percent,
    uuid() {
      const hex = Array.from({ length: 4 }, () => word().toString(16).padStart(8, '0')).join('');
      const variant = '89ab'[Number.parseInt(hex[16]!, 16) % 4]!;
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
  };
}
