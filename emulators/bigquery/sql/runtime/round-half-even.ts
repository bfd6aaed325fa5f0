// A NUMERIC as text and a number of digits in, the nearest number of so many digits out, of two that are as near the even one; registered by install.
import { failed } from './register.ts';

/** Digits behind the point of a NUMERIC. */
const SCALE = 9;
const DIGITS_MAX = 38;
/** More than a NUMERIC has: beyond it everything rounds to zero. */
const PLACES_MAX = 60;

export function roundHalfEven(value: string, digits: bigint): string {
  const places = Math.min(SCALE - Number(digits), PLACES_MAX);
  if (places <= 0) return value;
  const [whole = '0', fraction = ''] = value.replace('-', '').split('.');
  const units = BigInt(whole + fraction.padEnd(SCALE, '0'));
  const step = 10n ** BigInt(places);
  const [below, rest] = [units / step, (units % step) * 2n];
  const nearest = (rest > step || (rest === step && below % 2n === 1n) ? below + 1n : below) * step;
  const text = String(nearest).padStart(SCALE + 1, '0');
  if (text.length > DIGITS_MAX) return failed(`numeric overflow: ROUND(${value}, ${digits})`);
  return `${value.startsWith('-') ? '-' : ''}${text.slice(0, -SCALE)}.${text.slice(-SCALE)}`;
}
