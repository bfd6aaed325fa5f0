// Which version of this code wrote something: `code_version` of every envelope. Read once, by every function.ts that makes envelopes.
import { readFileSync } from 'node:fs';

export const CODE_VERSION: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
