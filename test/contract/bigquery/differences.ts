// Where bqemulator 1.4.0 is known to do otherwise than Google's documentation, which each case names as its source: case -> what it does. suite.ts adds
// these to the cases; a case that passes there after all fails its test, so that no mark outlives its reason.
import type { ContractCase, Difference } from '../contract.ts';

const BLOCKS = 'it runs one query at a time and can not be interrupted: the query of this case keeps it busy for minutes';

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'job-cancelled': { reason: BLOCKS, isSkipped: true },
  'query-timeout': { reason: BLOCKS, isSkipped: true },
  'write-truncate-is-atomic': { reason: BLOCKS, isSkipped: true },
  'insert-limits': { reason: 'it takes requests of any number of rows, and minutes for 50,000 of them', isSkipped: true },
  'results-of-size': { reason: 'it gives pages of any size, and takes longer than a minute for this one', isSkipped: true },
};

export function withDifferences<World>(cases: readonly ContractCase<World>[], differences: Readonly<Record<string, Difference>> = DIFFERENCES): ContractCase<World>[] {
  const unknown = Object.keys(differences).filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`There are no such cases: ${unknown.join(', ')}`);
  return cases.map((one) => (differences[one.name] === undefined ? one : { ...one, differs: { ...one.differs, independent: differences[one.name]! } }));
}
