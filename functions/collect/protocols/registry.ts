// All protocols by name: the writers look up the one that an envelope names.
import { protocol as ga4 } from './ga4/index.ts';
import { protocol as native } from './native/index.ts';
import type { Protocol } from './protocol.ts';

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([native, ga4].map((protocol) => [protocol.name, protocol]));

/** The protocol of that name; undefined when this code does not know it (the message waits for newer code). */
export const protocolNamed = (name: string): Protocol | undefined => PROTOCOLS.get(name);
