// One value as the client sent it in, every key, number and character in it that must not be stored out, each with its pointer.
// Only called when the scan of the body's bytes found a reason to look. Pure.
import { ingestError, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { UnsafeInteger } from '../unsafe-integer.ts';

/** They pollute prototypes when somebody assigns them, or mislead code that asks a value for its constructor. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor']);


export function findForbidden(value: unknown): IngestError[] {
  const errors: IngestError[] = [];
  walk(value, '', errors);
  return errors;
}

function walk(value: unknown, pointer: string, errors: IngestError[]): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) errors.push(ingestError('non_finite_number', {}, pointer));
  } else if (typeof value === 'string') {
    if (value.includes('\u0000')) errors.push(ingestError('forbidden_char', {}, pointer));
  } else if (value instanceof UnsafeInteger) {
    // 400 digits are not unsafe, they are infinite.
    const isFinite = Number.isFinite(Number(value.literal));
    errors.push(isFinite ? ingestError('unsafe_integer', { number: value.literal }, pointer) : ingestError('non_finite_number', {}, pointer));
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) walk(value[index], `${pointer}/${index}`, errors);
  } else if (typeof value === 'object' && value !== null) {
    walkObject(value as Record<string, unknown>, pointer, errors);
  }
}

function walkObject(value: Record<string, unknown>, pointer: string, errors: IngestError[]): void {
  for (const key of Object.keys(value)) {
    const at = `${pointer}/${escapePointer(key)}`;
    if (FORBIDDEN_KEYS.has(key)) errors.push(ingestError('forbidden_key', { key }, at));
    else if (key === '' || key.length > LIMITS.keyLengthMax) errors.push(ingestError('bad_key', { keyLengthMax: LIMITS.keyLengthMax }, key === '' ? at : pointer));
    else if (key.includes('\u0000')) errors.push(ingestError('forbidden_char', {}, at));
    walk(value[key], at, errors);
  }
}

/** RFC 6901: `~` and `/` inside a key. */
export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
