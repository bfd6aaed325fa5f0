// A source map that knows only our own files: in goes the map of a bundle, out comes one without the lines of packages, a tenth of the
// size. Called by bundle.ts. Format: https://tc39.es/ecma426/ (mappings are base64 VLQ, each number relative to the one before).

type SourceMap = { version: number; sources: string[]; names: string[]; mappings: string; sourcesContent?: unknown };

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

export function ownSourceMap(map: SourceMap, isOwn: (source: string) => boolean): SourceMap {
  const places = new Map<number, number>();
  const sources: string[] = [];
  map.sources.forEach((source, index) => { if (isOwn(source)) places.set(index, sources.push(source) - 1); });
  const read = { source: 0, line: 0, column: 0 };
  const written = { source: 0, line: 0, column: 0 };
  const lines = map.mappings.split(';').map((line) => {
    let columnRead = 0;
    let columnWritten = 0;
    let isInside = false;
    const segments: string[] = [];
    for (const segment of line === '' ? [] : line.split(',')) {
      const [column, source, sourceLine, sourceColumn] = decode(segment);
      columnRead += column!;
      if (source !== undefined) {
        read.source += source;
        read.line += sourceLine!;
        read.column += sourceColumn!;
      }
      const place = source === undefined ? undefined : places.get(read.source);
      if (place !== undefined) {
        segments.push(encode([columnRead - columnWritten, place - written.source, read.line - written.line, read.column - written.column]));
        Object.assign(written, { source: place, line: read.line, column: read.column });
      } else if (isInside) {
        // A segment without a source ends the one before: what follows is a package's.
        segments.push(encode([columnRead - columnWritten]));
      } else continue;
      columnWritten = columnRead;
      isInside = place !== undefined;
    }
    return segments.join(',');
  });
  return { version: 3, sources, names: [], mappings: lines.join(';') };
}

export function decode(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = VALUES.get(digit)!;
    value |= (bits & 31) << shift;
    shift += 5;
    if ((bits & 32) !== 0) continue;
    numbers.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function encode(numbers: number[]): string {
  let text = '';
  for (const number of numbers) {
    let rest = number < 0 ? (-number << 1) | 1 : number << 1;
    do {
      const bits = rest & 31;
      rest >>>= 5;
      text += DIGITS[rest > 0 ? bits | 32 : bits];
    } while (rest > 0);
  }
  return text;
}
