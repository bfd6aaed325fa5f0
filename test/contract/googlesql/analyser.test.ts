// What runs on the local BigQuery is valid on Google's: every statement that the product sends, and the documents' queries, through Google's own analyser.
// Skipped where it is not installed (354 MB; npm run contract -- --install puts it into .contract/zetasql).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tablesNamedIn } from './ga4-catalogue.ts';
import { documentQueries, productStatements, writtenStatements } from './product-statements.ts';
import { isReferenceInstalled } from './reference-server.ts';
import { startReference } from './reference.ts';
import type { Reference } from './reference.ts';

let reference: Reference;

async function analyse(sql: string): Promise<void> {
  await reference.setTables(tablesNamedIn(sql));
  await reference.analyse(sql.trim().replace(/;$/, ''), { allow_undeclared_parameters: true });
}

describe.skipIf(!isReferenceInstalled)("Google's analyser", () => {
  beforeAll(async () => { reference = await startReference(); });
  afterAll(() => reference.stop());

  test.each(productStatements())('accepts the product: %s', async (_name, sql) => { await analyse(sql); });
  test.each(writtenStatements())('accepts what is written in %s', async (_name, sql) => { await analyse(sql); });
  test.each(documentQueries())('accepts the query in %s', async (_name, sql) => { await analyse(sql); });

  test('saw statements of each kind', () => {
    expect(productStatements().length).toBeGreaterThan(20);
    expect(writtenStatements().length).toBeGreaterThan(3);
    expect(documentQueries().length).toBeGreaterThan(0);
  });

  const [[, fold] = ['', '']] = productStatements().filter(([name]) => name === 'fold of events');
  test.each([
    ['a column that is not there', fold.replace('copy_rank = 1', 'copy_runk = 1'), 'Unrecognized name: copy_runk'],
    ['a function that is not there', fold.replace('TO_HEX(MD5', 'TO_HEXA(MD5'), 'Function not found: TO_HEXA'],
    ['a string beside a number', 'SELECT 1 FROM `chiplog.events_*` WHERE event_timestamp = event_date', 'No matching signature for operator ='],
    ['a missing comma', fold.replace('AS copy_rank', 'AS copy_rank AS again'), 'Syntax error'],
    ['a table that nobody made', 'SELECT 1 FROM `chiplog.nothing`', 'Table not found'],
  ])('refuses %s, so that a pass means something', async (_what, sql, message) => { await expect(analyse(sql)).rejects.toThrow(message); });
});
