// The functions of the flow and the variables that each one declares in its SETTINGS table. A function refuses variables that it does not
// declare, so each gets exactly its own. The table is read from the source text: importing function.ts would start the function.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED } from '../../functions/config.ts';

export type FunctionSpec = { name: string; folder: string; target: string };

/** In the order in which an event meets them. */
export const FUNCTIONS: readonly FunctionSpec[] = [
  { name: 'collect', folder: 'functions/collect', target: 'collect' },
  { name: 'write-bigquery', folder: 'functions/write/bigquery', target: 'writeBigquery' },
  { name: 'write-storage', folder: 'functions/write/storage', target: 'writeStorage' },
  { name: 'rollover', folder: 'functions/rollover', target: 'rollover' },
  { name: 'maintain', folder: 'functions/maintain', target: 'maintain' },
  { name: 'replay', folder: 'functions/replay', target: 'replay' },
];

/** Names of the variables in the SETTINGS table of a function.ts. */
export function settingsOf(source: string): string[] {
  const table = /export const SETTINGS = \{([\s\S]*?)\n\}/.exec(source)?.[1];
  if (table === undefined) throw new Error('This function.ts has no "export const SETTINGS = {…}" table.');
  const shared = [...table.matchAll(/\bSHARED\.(\w+)/g)].map(([, name]) => {
    const setting = (SHARED as Record<string, { env: string }>)[name!];
    if (setting === undefined) throw new Error(`SHARED.${name} is not in functions/config.ts.`);
    return setting.env;
  });
  return [...shared, ...[...table.matchAll(/\benv: '(\w+)'/g)].map(([, name]) => name!)];
}

/** Of all variables, those that the function declares. */
export function variablesFor(root: string, spec: FunctionSpec, all: Record<string, string>): Record<string, string> {
  const declared = settingsOf(readFileSync(join(root, spec.folder, 'function.ts'), 'utf8'));
  return Object.fromEntries(declared.filter((name) => all[name] !== undefined).map((name) => [name, all[name]!]));
}
