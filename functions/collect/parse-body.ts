// Decoded bytes in, the JSON value out, with the bytes that the archive keeps. Parses once; events that are too deep or have too
// many keys are cut out of the text first, so that they never become objects and never hurt their neighbours.
import type { BodyBytes } from '../envelope-line.ts';
import { ingestError, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { accepted, rejected, type Outcome } from '../outcome.ts';
import { UnsafeInteger } from '../unsafe-integer.ts';
import type { DecodedBody } from './decode-body.ts';
import { scanBody, type BodyMarks, type BodyScan } from './scan-body.ts';

export type ParsedBody = {
  value: unknown;
  marks: BodyMarks;
  largestEventBytes: number;
  /** What stands in `value` for an event that was not parsed -> why, and its text. */
  cutEvents: ReadonlyMap<unknown, { error: IngestError; text: string }>;
  /** For the archive. */
  body: BodyBytes;
  /** Parses again, with every integer that JSON.parse cannot keep as an `UnsafeInteger`. */
  valueWithUnsafe: () => unknown;
};

/** `mark` is a text that no client can know (the request id): it stands in for what was cut out. */
export function parseBody(decoded: DecodedBody, mark: string): Outcome<ParsedBody> {
  const scan = scanBody(decoded.bytes, 3);
  const body = archived(decoded, scan.hasLineBreaks);
  return parseScanned(decoded.bytes, scan, body, mark, new Map());
}

/** A newline-delimited body: each line is one event, and the archive keeps them as one array of the same texts. */
export function parseLines(decoded: DecodedBody, mark: string): Outcome<ParsedBody> {
  const lines = decoded.bytes.toString().split(/\r?\n/).filter((line) => line.trim() !== '');
  const cut = new Map<string, { error: IngestError; text: string }>();
  // A line that is no JSON is kept as a JSON string, so that its neighbours and the archive stay readable.
  const texts = lines.map((line) => {
    const problem = jsonProblem(line);
    if (problem === undefined) return line.replaceAll('\r', ' ');
    const text = JSON.stringify(line);
    cut.set(line, { error: ingestError('invalid_json', { reason: problem }), text: line });
    return text;
  });
  if (lines.length > 0 && cut.size === new Set(lines).size) return rejected([...cut.values()][0]!.error);
  const bytes = Buffer.from(`[${texts.join(',')}]`);
  return parseScanned(bytes, scanBody(bytes, 2), { bytes, isGzip: false, inflatedBytes: bytes.length }, mark, cut);
}

function parseScanned(bytes: Buffer, scan: BodyScan, body: BodyBytes, mark: string, cut: Map<unknown, { error: IngestError; text: string }>): Outcome<ParsedBody> {
  if (scan.isTooDeep) return rejected(ingestError('too_deep', LIMITS));
  if (scan.batchKeys > LIMITS.keysPerEventMax) return rejected(ingestError('too_many_batch_keys', { keys: scan.batchKeys, keysMax: LIMITS.keysPerEventMax }));
  let text: string;
  let value: unknown;
  try {
    text = scan.cuts.length === 0 ? bytes.toString() : cutOut(bytes, scan, mark, cut);
    value = JSON.parse(text);
  } catch (error) {
    return rejected(ingestError('invalid_json', { reason: reasonOf(error) }));
  }
  return accepted({
    value, marks: scan, largestEventBytes: scan.largestEventBytes, cutEvents: cut, body,
    valueWithUnsafe: () => JSON.parse(text, keepUnsafe),
  });
}

/** The text with each cut event replaced by a string that is in `cut`. */
function cutOut(bytes: Buffer, scan: BodyScan, mark: string, cut: Map<unknown, { error: IngestError; text: string }>): string {
  const pieces: string[] = [];
  let from = 0;
  for (const { start, end, code } of scan.cuts) {
    const standIn = `${mark} ${start}`;
    cut.set(standIn, { error: code === 'too_deep' ? ingestError(code, LIMITS) : ingestError(code, { keysMax: LIMITS.keysPerEventMax }), text: bytes.toString('utf8', start, end) });
    pieces.push(bytes.toString('utf8', from, start), JSON.stringify(standIn));
    from = end;
  }
  pieces.push(bytes.toString('utf8', from));
  return pieces.join('');
}

/** The client's own gzip where it can travel, else the text with line breaks (which can only stand between tokens) as spaces. */
function archived({ bytes, gzip }: DecodedBody, hasLineBreaks: boolean): BodyBytes {
  const inflatedBytes = bytes.length;
  if (!hasLineBreaks) return gzip === undefined ? { bytes, isGzip: false, inflatedBytes } : { bytes: gzip, isGzip: true, inflatedBytes };
  const oneLine = Buffer.from(bytes);
  for (let i = 0; i < inflatedBytes; i++) if (oneLine[i] === 10 || oneLine[i] === 13) oneLine[i] = 32;
  return { bytes: oneLine, isGzip: false, inflatedBytes };
}

/** Called by JSON.parse for every value; `context.source` is the literal's own text. */
function keepUnsafe(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return context?.source !== undefined && /^-?\d+$/.test(context.source) ? new UnsafeInteger(context.source) : value;
}

function jsonProblem(line: string): string | undefined {
  try {
    JSON.parse(line);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** V8's sentence quotes the text around the place; ten characters of a person's data are no help to anybody. */
const reasonOf = (error: unknown): string => /at position \d+(?: \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0] ?? 'it ends too early';
