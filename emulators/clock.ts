// The steerable clock: a file that holds how far all local processes are from real time. Scripts and tests write it here;
// preload.ts reads it in every local process and shifts `Date` by it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where preload.ts leaves the true clock of its process, so that nobody shifts twice. */
export const REAL_NOW = Symbol.for('local-cloud.real-now');

/** Milliseconds since 1970 by the machine's own clock, also inside a process whose `Date` is shifted. */
export function realNow(): number {
  const unshifted = (globalThis as { [REAL_NOW]?: () => number })[REAL_NOW];
  return unshifted === undefined ? Date.now() : unshifted();
}

/** The offset in the file; 0 when there is no file, or none that can be read (a writer may be half-way). */
export function readOffset(file: string): number {
  try {
    const { offset_ms } = JSON.parse(readFileSync(file, 'utf8')) as { offset_ms?: unknown };
    return typeof offset_ms === 'number' && Number.isFinite(offset_ms) ? offset_ms : 0;
  } catch {
    return 0;
  }
}

/** Moves all local processes to real time + offset. Written beside and renamed, so that no reader sees half a file. */
export function setOffset(file: string, offsetMs: number): void {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify({ offset_ms: Math.round(offsetMs) })}\n`);
  renameSync(beside, file);
}

/** Moves the clock so that it now shows `ms`. */
export function setNow(file: string, ms: number): void {
  setOffset(file, ms - realNow());
}

/** Milliseconds since 1970 on the steered clock. */
export function now(file: string): number {
  return realNow() + readOffset(file);
}
