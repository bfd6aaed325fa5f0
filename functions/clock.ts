// What time it is, as a function that is passed in, so that every rule about time can be tested at its borders.

/** Milliseconds since 1970 (UTC), as `Date.now`. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** Microseconds since 1970 (UTC), the unit of every `*_timestamp` field. */
export const microsOf = (ms: number): number => Math.round(ms * 1_000);
