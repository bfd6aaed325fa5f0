// Values in, protobuf bytes out, through one growing buffer: what the generated encoders (generated/rows.ts) are made of.
// Never coerces: the wrong type throws with the column's path, since a silent 0 or "[object Object]" would be a lie in a table.
// Not reentrant; an encoder runs from `begin` to `finish` without a pause.

/** A value that its column cannot hold. The row is wrong, not the writer: such an event is rejected. */
export class RowValueError extends TypeError {
  readonly column: string;
  constructor(column: string, message: string) {
    super(message);
    this.name = 'RowValueError';
    this.column = column;
  }
}

let bytes = Buffer.allocUnsafeSlow(64 * 1024);
let at = 0;

/** Above this size the buffer is given back after use: one huge row must not hold its memory for ever. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

export function begin(): void {
  if (bytes.length > KEPT_BYTES_MAX) bytes = Buffer.allocUnsafeSlow(64 * 1024);
  at = 0;
}

/** A copy of what was written since `begin`. */
export function finish(): Uint8Array {
  const copy = Buffer.allocUnsafe(at);
  bytes.copy(copy, 0, 0, at);
  return copy;
}

export function refuse(value: unknown, expected: string, column: string): never {
  const shown = typeof value === 'bigint' ? `${value}n` : typeof value === 'function' || typeof value === 'symbol' ? typeof value : (JSON.stringify(value) ?? String(value));
  throw new RowValueError(column, `Column ${column} takes ${expected}, not ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}.`);
}

/** Makes room for `more` bytes. */
function reserve(more: number): void {
  if (at + more <= bytes.length) return;
  const grown = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, at + more));
  bytes.copy(grown, 0, 0, at);
  bytes = grown;
}

/** A tag or a length: at most 2^31. */
function varint32(value: number): void {
  while (value > 127) {
    bytes[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  bytes[at++] = value;
}

const bytesOfLength = (length: number): number => (length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : length < 268_435_456 ? 4 : 5);

/** Starts a nested record; gives the place where it starts, for `close`. One byte is kept for its length. */
export function open(tag: number): number {
  reserve(11);
  varint32(tag);
  return ++at;
}

/** Ends a nested record: writes its length before it, and moves it when the length needs more than the byte that was kept. */
export function close(start: number): void {
  const length = at - start;
  setLength(start - 1, start, length);
}

/** Puts `length` at `place`, where the content, now at `start`, follows directly. */
function setLength(place: number, start: number, length: number): void {
  const size = bytesOfLength(length);
  const contentAt = place + size;
  if (contentAt !== start) {
    reserve(8);
    bytes.copyWithin(contentAt, start, start + length);
  }
  at = place;
  varint32(length);
  at = contentAt + length;
}

/** Up to here a loop over the characters is faster than the call into C++. */
const SHORT_TEXT_MAX = 40;

export function text(tag: number, value: unknown, column: string): void {
  if (typeof value !== 'string') refuse(value, 'a text', column);
  const units = value.length;
  reserve(units * 3 + 20);
  varint32(tag);
  const place = at;
  if (units <= SHORT_TEXT_MAX) {
    let to = place + 1;
    let index = 0;
    for (; index < units; index++) {
      const code = value.charCodeAt(index);
      if (code > 127) break;
      bytes[to++] = code;
    }
    if (index === units) {
      bytes[place] = units;
      at = to;
      return;
    }
  }
  const start = place + bytesOfLength(units);
  // A lone surrogate becomes U+FFFD here, as it does in every UTF-8 encoder.
  setLength(place, start, bytes.write(value, start, 'utf8'));
}

const LOW_MAX = 0x1_0000_0000;

export function int64(tag: number, value: unknown, column: string): void {
  reserve(20);
  varint32(tag);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) refuse(value, 'an integer up to ±(2^53-1), a bigint or decimal text', column);
    if (value >= 0) positive(value);
    else varint64(BigInt.asUintN(64, BigInt(value)));
  } else {
    varint64(BigInt.asUintN(64, exact(value, column)));
  }
}

function positive(value: number): void {
  while (value >= LOW_MAX) {
    bytes[at++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  varint32Unsigned(value);
}

function varint32Unsigned(value: number): void {
  value >>>= 0;
  while (value > 127) {
    bytes[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  bytes[at++] = value;
}

function varint64(value: bigint): void {
  let rest = value;
  while (rest > 127n) {
    bytes[at++] = Number(rest & 127n) | 128;
    rest >>= 7n;
  }
  bytes[at++] = Number(rest);
}

const DECIMAL = /^(?:0|-?[1-9][0-9]{0,18})$/;

function exact(value: unknown, column: string): bigint {
  const number = typeof value === 'bigint' ? value : typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : refuse(value, 'an integer', column);
  return BigInt.asIntN(64, number) === number ? number : refuse(value, 'an integer of 64 bits', column);
}

export function double(tag: number, value: unknown, column: string): void {
  if (typeof value !== 'number') refuse(value, 'a number', column);
  reserve(18);
  varint32(tag);
  at = bytes.writeDoubleLE(value, at);
}

export function bool(tag: number, value: unknown, column: string): void {
  if (typeof value !== 'boolean') refuse(value, 'true or false', column);
  reserve(11);
  varint32(tag);
  bytes[at++] = value ? 1 : 0;
}
