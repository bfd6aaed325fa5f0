// Ids: which ones clients may send, and the ones that are derived by hash where a protocol has none (design: section 5).
import { hash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** A UUID of any version but the nil one, which SDKs send when their generator failed. */
export const isEventId = (value: unknown): value is string => typeof value === 'string' && UUID.test(value) && value !== NIL_UUID;

/**
 * A UUID (version 8: "custom") from the SHA-256 of the parts. Parts are joined as a JSON array, so that ("a","bc") and
 * ("ab","c") differ.
 */
export function hashedId(...parts: readonly (string | number)[]): string {
  const digest = hash('sha256', JSON.stringify(parts), 'hex');
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
