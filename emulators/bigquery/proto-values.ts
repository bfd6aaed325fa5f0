// Values of the rarer column types as protobuf rows carry them, as tokens of JSON or as text. Called by proto-row.ts.
import { compactJson, scalarText } from './json-row.ts';
import { RowProblem } from './row-problem.ts';

export function jsonToken(text: string, wrong: () => Error): string {
  try {
    JSON.parse(text);
  } catch {
    throw wrong();
  }
  // `ascii` writes bytes; what is not ASCII goes as an escape.
  return JSON.stringify(compactJson(text)).replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function scalarOrProblem(column: string, value: string | number, path: string): string {
  let token: string;
  try {
    token = scalarText(column, value, path);
  } catch (error) {
    throw new RowProblem((error as Error).message);
  }
  return token;
}

/** CivilTimeEncoder's packed microseconds: 20 bits of them, 6 of seconds, 6 of minutes, 5 of hours; then 5 of days, 4 of months, and the year. */
export function civilText(column: 'TIME' | 'DATETIME', packed: bigint): string {
  let left = packed;
  const take = (bits: bigint, digits: number): string => {
    const part = left & ((1n << bits) - 1n);
    left >>= bits;
    return String(part).padStart(digits, '0');
  };
  const [micros, second, minute, hour] = [take(20n, 6), take(6n, 2), take(6n, 2), take(5n, 2)];
  const time = `${hour}:${minute}:${second}.${micros}`;
  if (column === 'TIME') return left === 0n ? time : 'out of range';
  const [day, month] = [take(5n, 2), take(4n, 2)];
  return `${String(left).padStart(4, '0')}-${month}-${day}T${time}`;
}

/** BigDecimalByteStringEncoder: the scaled integer (9 digits), little endian, two's complement. */
export function numericText(bytes: Buffer): string {
  let scaled = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) scaled = (scaled << 8n) | BigInt(bytes[i]!);
  scaled = BigInt.asIntN(bytes.length * 8, scaled);
  const sign = scaled < 0n ? '-' : '';
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(10, '0');
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
