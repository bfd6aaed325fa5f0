// A URL in, its registrable domain or public suffix out, for the top-level domains whose rules fit on a screen; any other is refused at run time by name.
// The public suffix list itself is 250 kB; Google's functions know its ICANN section only, so blogspot.com is a domain like any other.
import { failed } from './register.ts';
import { netHost } from './text.ts';

/** Top-level domains under which names are registered directly, and nowhere else. */
const FLAT = new Set('app biz blog ch cloud club com de dev dk edu eu gov info net nl online org shop site store tech xyz'.split(' '));
/** The second levels under which names are registered, too. */
const SECOND_LEVELS: Record<string, string> = { uk: 'ac co gov ltd me net nhs org plc police', nz: 'ac co cri geek gen govt health iwi kiwi maori mil net org parliament school', za: 'ac agric alt co edu gov grondar law mil net ngo nic nis nom org school tm web' };
/** Whose third level is one's own domain's suffix. */
const WIDE = new Set(['sch.uk']);

/** The suffix and one label more; an error for what no rule here covers; NULL where there is none. */
export const registrableDomain = (url: string): string | null => found(url, 1);
export const publicSuffix = (url: string): string | null => found(url, 0);

function found(url: string, more: number): string | null {
  const host = netHost(url);
  if (host === null || host.startsWith('[') || /^[0-9.]+$/.test(host) || !host.includes('.')) return host === null || more === 1 || !(FLAT.has(host.toLowerCase()) || host.toLowerCase() in SECOND_LEVELS) ? null : host;
  const labels = host.split('.');
  const lower = labels.map((label) => label.toLowerCase());
  const last = lower.at(-1) ?? '';
  if (lower.includes('')) return failed(`The host ${host} with an empty label is not supported by NET.REG_DOMAIN and NET.PUBLIC_SUFFIX of the local BigQuery`);
  const second = `${lower.at(-2)}.${last}`;
  const known = FLAT.has(last) ? [] : SECOND_LEVELS[last]?.split(' ');
  if (known === undefined || WIDE.has(second)) return failed(`NET.REG_DOMAIN and NET.PUBLIC_SUFFIX of hosts under .${WIDE.has(second) ? second : last} are not supported by the local BigQuery (they need the public suffix list)`);
  const size = (known.includes(lower.at(-2) ?? '') ? 2 : 1) + more;
  return labels.length < size ? null : labels.slice(-size).join('.');
}
