// A URL in, its registrable domain or public suffix out, by the public suffix list; registered by install.
// Google's functions know the list's ICANN section only, so blogspot.com is a domain like any other.
import { parse } from 'tldts';
import { failed } from './register.ts';
import { netHost } from './text.ts';

// A name under za itself is none of the list's, but Google takes it for one.
const RULES = { extractHostname: false, validateHostname: false, detectIp: false, allowIcannDomains: true, allowPrivateDomains: false, extraSuffixes: { icann: ['za'] } };

/** NULL where there is none: an address, a name that no rule covers, a suffix that stands alone. */
export function registrableDomain(url: string): string | null {
  return found(url, (labels, count) => (labels.length > count && labels.at(-count - 1) !== '' ? labels.slice(-count - 1).join('.') : null));
}
export const publicSuffix = (url: string): string | null => found(url, (labels, count) => labels.slice(-count).join('.'));

/** The case of the URL is kept, and so is the dot of a name that is written out to the root. */
function found(url: string, answer: (labels: string[], count: number) => string | null): string | null {
  const host = netHost(url);
  if (host === null) return null;
  if (/[\u3002\uff0e\uff61]/.test(host)) return failed(`The host ${host}, with a full stop other than ".", is not supported by NET.REG_DOMAIN and NET.PUBLIC_SUFFIX of the local BigQuery`);
  const name = host.replace(/\.+$/, '');
  const suffix = suffixOf(name.toLowerCase());
  const part = suffix === null ? null : answer(name.split('.'), suffix.split('.').length);
  return part === null || name === host ? part : `${part}.`;
}

function suffixOf(name: string): string | null {
  const { publicSuffix: suffix, isIcann } = parse(name, RULES);
  if (suffix === null || !isIcann) return null;
  return suffix === name && isAboveWildcard(name) ? suffixOf(name.slice(name.indexOf('.') + 1)) : suffix;
}

/** By `*.sch.uk` each name under sch.uk is a suffix, and sch.uk itself a domain; the package takes it for a suffix, too. */
function isAboveWildcard(name: string): boolean {
  const below = `x.${name}`;
  return name.includes('.') && parse(below, RULES).publicSuffix === below;
}
