// All contract suites, for whoever looks at them together: the completeness test, the tables of a run, the generated docs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ContractCase, Suite } from './contract.ts';
import type { ServiceName } from './implementations.ts';

export const SERVICE_NAMES = ['pubsub', 'storage', 'bigquery', 'bigquery-write'] as const satisfies readonly ServiceName[];

/** What can be told of a suite without running it: its cases take any world. */
export type AnySuite = Pick<Suite<never>, 'service' | 'surface'> & { cases: readonly ContractCase<never>[] };

/** Every folder beside this file that is named as a service exports its suite from suite.ts. */
export async function loadSuites(): Promise<AnySuite[]> {
  const files = SERVICE_NAMES.map((service) => join(import.meta.dirname, service, 'suite.ts')).filter((file) => existsSync(file));
  return Promise.all(files.map(async (file) => {
    const exported = Object.values((await import(file)) as Record<string, unknown>);
    const suite = exported.find((value): value is AnySuite => typeof value === 'object' && value !== null && 'cases' in value && 'surface' in value);
    if (suite === undefined) throw new Error(`${file} exports no suite.`);
    return suite;
  }));
}
