// Contract cases of multi-statement transactions: what is undone, what becomes visible together, and what two of them may not both do.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import type { BigQueryWorld, Resource } from './world.ts';

const TRANSACTIONS = 'https://docs.cloud.google.com/bigquery/docs/transactions';
/** A while of work, so that something else happens meanwhile. */
const WORK = 'SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 300000)) AS a WHERE MOD(a, 7) = 3;';

async function counted(world: BigQueryWorld, ...values: number[]): Promise<string> {
  const table = await world.table([{ name: 'n', type: 'INTEGER' }]);
  await world.query(`INSERT INTO ${table.id} (n) VALUES ${values.map((n) => `(${n})`).join(', ')}`);
  return table.id!;
}
const numbers = async (world: BigQueryWorld, table: string): Promise<unknown[]> => (await world.rows(`SELECT n FROM ${table} ORDER BY n`, { useQueryCache: false })).map((row) => row['n']);
const start = async (world: BigQueryWorld, query: string): Promise<string> => {
  const defaultDataset = { projectId: world.launched.project, datasetId: world.dataset };
  return (await world.call({ method: 'POST', path: '/jobs', body: { configuration: { query: { query, useLegacySql: false, defaultDataset } } } })).body['jobReference'].jobId as string;
};

export const TRANSACTION_CASES: readonly ContractCase<BigQueryWorld>[] = [
  {
    name: 'transaction-rolled-back', promise: 'ROLLBACK TRANSACTION undoes every change since BEGIN, and so does a script that fails, or ends, before its COMMIT', methods: ['jobs.insert'], source: TRANSACTIONS,
    async run(world) {
      const table = await counted(world, 1, 2);
      const changes = `BEGIN TRANSACTION; INSERT INTO ${table} (n) VALUES (3); UPDATE ${table} SET n = 10 WHERE n = 1; DELETE FROM ${table} WHERE n = 2;`;
      await world.query(`${changes} ROLLBACK TRANSACTION;`);
      expect(await numbers(world, table)).toEqual([1, 2]);
      expect(await world.failure(`${changes} SELECT ERROR('no more'); COMMIT TRANSACTION;`)).toMatchObject({ reason: 'invalidQuery', message: expect.stringContaining('no more') });
      expect(await numbers(world, table)).toEqual([1, 2]);
      await world.query(changes);
      expect(await numbers(world, table)).toEqual([1, 2]);
    },
  },
  {
    name: 'transaction-seen-at-its-commit', promise: 'a transaction sees its own changes, others see those of all its tables at once, when it is committed', methods: ['jobs.insert', 'jobs.query'], source: TRANSACTIONS,
    async run(world) {
      const [one, other, seen] = [await counted(world, 0), await counted(world, 0), await counted(world, 0)];
      const jobId = await start(world, `BEGIN TRANSACTION; INSERT INTO ${one} (n) VALUES (1); ${WORK} INSERT INTO ${other} (n) VALUES (1); ${WORK} INSERT INTO ${seen} (n) SELECT 100 + COUNT(*) FROM ${one}; ${WORK} COMMIT TRANSACTION;`);
      let isDone = false;
      const ended = world.ended(jobId).finally(() => { isDone = true; });
      const counts = async (): Promise<Resource | undefined> => (await world.rows(`SELECT (SELECT COUNT(*) FROM ${one}) AS one, (SELECT COUNT(*) FROM ${other}) AS other`, { useQueryCache: false }))[0];
      while (!isDone) expect([{ one: 1, other: 1 }, { one: 2, other: 2 }]).toContainEqual(await counts());
      expect((await ended)['status'].errorResult).toBeUndefined();
      expect(await counts()).toEqual({ one: 2, other: 2 });
      expect(await numbers(world, seen)).toEqual([0, 102]);
    },
  },
  {
    name: 'transactions-conflict', promise: 'of transactions that change one table at once those that are not cancelled have all their changes: no update is lost', methods: ['jobs.insert'], source: `${TRANSACTIONS}#transaction_concurrency`,
    async run(world) {
      const table = await counted(world, 0);
      const ids = await Promise.all(Array.from({ length: 4 }, () => start(world, `BEGIN TRANSACTION; UPDATE ${table} SET n = n + 1 WHERE TRUE; ${WORK} COMMIT TRANSACTION;`)));
      const failures = (await Promise.all(ids.map((jobId) => world.ended(jobId)))).flatMap((job) => job['status'].errorResult ?? []);
      for (const failure of failures) expect(failure).toMatchObject({ reason: 'invalidQuery', message: expect.stringMatching(/concurrent update/) });
      expect(failures.length).toBeLessThan(4);
      expect(await numbers(world, table)).toEqual([4 - failures.length]);
    },
  },
];
