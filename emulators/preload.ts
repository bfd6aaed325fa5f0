// Loaded before anything else in every local process (`node --import ./emulators/preload.ts …`), so that product code needs no
// special case: `Date` follows the steerable clock, and a listen() without a host binds to loopback, not to every interface.
import { statSync, watch } from 'node:fs';
import { Server } from 'node:net';
import { basename, dirname } from 'node:path';
import { readOffset, REAL_NOW } from './clock.ts';

/** How late a change of the clock may be seen where the file system sends no notice (network and container mounts). */
const STAT_EVERY_MS = 500;

const clockFile = process.env['LOCAL_CLOUD_CLOCK_FILE'];
if (clockFile !== undefined && clockFile !== '') shiftDate(clockFile);
bindToLoopback(process.env['LOCAL_CLOUD_HOST'] || '127.0.0.1');

function shiftDate(file: string): void {
  const RealDate = Date;
  const unshifted = Date.now;
  let offsetMs = readOffset(file);
  const shiftedNow = (): number => unshifted() + offsetMs;

  // A plain function, because Date may be called without `new`. It shares the true prototype: `instanceof` holds for dates made by
  // Node itself, and a subclass gets its own prototype through new.target.
  function ShiftedDate(this: unknown, ...parts: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(shiftedNow()).toString();
    return Reflect.construct(RealDate, parts.length === 0 ? [shiftedNow()] : parts, new.target);
  }
  for (const name of Reflect.ownKeys(RealDate)) {
    const property = Object.getOwnPropertyDescriptor(RealDate, name)!;
    if (name !== 'prototype') Object.defineProperty(ShiftedDate, name, name === 'now' ? { ...property, value: shiftedNow } : property);
  }
  ShiftedDate.prototype = RealDate.prototype;
  Object.defineProperty(RealDate.prototype, 'constructor', { value: ShiftedDate, writable: true, configurable: true });
  globalThis.Date = ShiftedDate as unknown as DateConstructor;
  (globalThis as { [REAL_NOW]?: () => number })[REAL_NOW] = unshifted;

  followFile(file, () => { offsetMs = readOffset(file); });
}

/** Calls back when the file changes: at once where the system tells, else within half a second. Keeps no process alive. */
function followFile(file: string, changed: () => void): void {
  let seen = stampOf(file);
  const look = (): void => {
    const stamp = stampOf(file);
    if (stamp === seen) return;
    seen = stamp;
    changed();
  };
  try {
    // The folder, not the file: the file is replaced by renaming, and a watch would stay with the old one.
    watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(file)) look();
    }).on('error', () => {});
  } catch {
    // No folder yet, or no watching here: the timer below is enough.
  }
  setInterval(look, STAT_EVERY_MS).unref();
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs}`;
}

function bindToLoopback(host: string): void {
  const listen = Server.prototype.listen as (...args: unknown[]) => Server;
  Server.prototype.listen = function listenOnHost(this: Server, ...args: unknown[]): Server {
    return listen.apply(this, withHost(args, host));
  };
}

/** The arguments of net.Server#listen, with a host where a port was given without one. */
function withHost(args: unknown[], host: string): unknown[] {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    const options = first as { port?: unknown; host?: unknown; path?: unknown; fd?: unknown };
    const isPortOnly = options.port !== undefined && !options.host && options.path === undefined && options.fd === undefined;
    return isPortOnly ? [{ ...options, host }, ...args.slice(1)] : args;
  }
  if (first === undefined || first === null || typeof first === 'function') return [{ port: 0, host }, ...args.filter((arg) => typeof arg === 'function')];
  const isPort = typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first));
  if (!isPort || (typeof second === 'string' && second !== '')) return args;
  const backlog = args.slice(1).find((arg) => typeof arg === 'number');
  return [{ port: Number(first), host, ...(backlog === undefined ? {} : { backlog }) }, ...args.filter((arg) => typeof arg === 'function')];
}
