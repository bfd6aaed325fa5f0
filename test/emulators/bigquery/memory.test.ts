// How much memory the local BigQuery takes: little as a rule, more for the statement that cannot be done with little, and then little again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Engine, rowsOf, type Memory } from '../../../emulators/bigquery/engine.ts';
import { asQueryError } from '../../../emulators/bigquery/run-query.ts';

/** A list stands in memory in one piece, so the disk is no help. */
const MUCH = 'SELECT len(list(i)) AS n FROM range(4000000) AS t(i)';

let dir: string;
let engine: Engine;
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'chiplog-memory-')); });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const opened = (memory: Memory): void => {
  beforeEach(async () => { engine = await Engine.open(dir, async () => undefined, memory); });
  afterEach(() => engine.close());
};
const limit = (): Promise<unknown> => engine.read(async (connection) => (await rowsOf(connection, "SELECT current_setting('memory_limit') AS l"))[0]!['l']);

describe('with a large memory that is enough', () => {
  opened({ usualMib: 32, largeMib: 1_024 });

  test('a query that needs more than usual gets it, once, and the limit is the usual one again', async () => {
    let runs = 0;
    const rows = await engine.read((connection) => { runs += 1; return rowsOf(connection, MUCH); });
    expect(rows).toEqual([{ n: '4000000' }]);
    expect(runs).toBe(2);
    expect(await limit()).toBe('32.0 MiB');
  });

  test('what is known to need much has it at once', async () => {
    let runs = 0;
    await engine.read((connection) => { runs += 1; return rowsOf(connection, MUCH); }, { isLarge: true });
    expect(runs).toBe(1);
    expect(await limit()).toBe('32.0 MiB');
  });

  test('a change that needs more is rolled back and made once', async () => {
    await engine.change((connection) => connection.run('CREATE TABLE kept AS SELECT 0 AS n'));
    await engine.change(async (connection) => {
      await connection.run('INSERT INTO kept SELECT 1');
      await connection.run(`INSERT INTO kept ${MUCH}`);
    });
    expect(await engine.read((connection) => rowsOf(connection, 'SELECT n FROM kept ORDER BY n'))).toEqual([{ n: 0 }, { n: 1 }, { n: 4_000_000 }]);
    expect(await limit()).toBe('32.0 MiB');
  });

  test('what fails for another reason is not tried again', async () => {
    let runs = 0;
    await expect(engine.read((connection) => { runs += 1; return rowsOf(connection, "SELECT CAST('x' AS BIGINT)"); })).rejects.toThrow('Conversion');
    expect(runs).toBe(1);
  });
});

describe('with a large memory that is too little', () => {
  opened({ usualMib: 16, largeMib: 24 });

  test("it ends with BigQuery's own error, and the next query is answered", async () => {
    await expect(engine.read((connection) => rowsOf(connection, MUCH).catch(asQueryError))).rejects.toMatchObject({ reason: 'resourcesExceeded', message: expect.stringContaining('Resources exceeded') });
    expect(await limit()).toBe('16.0 MiB');
    expect(await engine.read((connection) => rowsOf(connection, 'SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });
});
