// How the faults of BigQuery look to Google's clients: failure-rows.ts names these functions.
import { expect } from 'vitest';
import { uniqueName, until } from '../wait.ts';
import { CODES, expectCode, type Show } from './cloud.ts';

const ROWS = [{ id: 'a', n: 1 }, { id: 'b', n: 2 }];
const QUERY = { query: 'SELECT 1 AS one', useLegacySql: false };

const appendFailsWith = (code: number): Show => async (cloud, order) => {
  const table = await cloud.table();
  await order();
  await expectCode(cloud.append(table, ROWS), code);
  await cloud.control('DELETE', '/faults');
  expect(await cloud.idsIn(table)).toEqual([]);
};

export const BIGQUERY_SHOWS: Record<string, Show> = {
  appendFailsWith5: appendFailsWith(CODES.NOT_FOUND),

  async anAppendTakesLong(cloud, order) {
    const table = await cloud.table();
    await order();
    const beganMs = performance.now();
    await cloud.append(table, ROWS);
    expect(performance.now() - beganMs).toBeGreaterThan(1_450);
    expect(await cloud.idsIn(table)).toEqual(['a', 'b']);
  },

  async appendsAndJobsFailWithUnavailable(cloud, order) {
    const table = await cloud.table();
    await order();
    for (let attempt = 0; attempt < 3; attempt += 1) await expectCode(cloud.append(table, ROWS), CODES.UNAVAILABLE);
    await expectCode(cloud.clients.bigquery.createQueryJob(QUERY), 503);
    await cloud.control('DELETE', '/faults');
    await cloud.append(table, ROWS);
    expect(await cloud.idsIn(table)).toEqual(['a', 'b']);
  },

  async theFirstRowIsRefused(cloud, order) {
    const table = await cloud.table();
    await order();
    const answer = await cloud.append(table, ROWS);
    expect(answer.rowErrors!.map(({ index }) => Number(index))).toEqual([0]);
    expect(answer.error!.code).toBe(3);
    expect(await cloud.idsIn(table)).toEqual([]);
  },

  async anAppendFailsAndIsStored(cloud, order) {
    const table = await cloud.table();
    await order();
    await expectCode(cloud.append(table, ROWS), CODES.ABORTED);
    expect(await cloud.idsIn(table)).toEqual(['a', 'b']);
  },

  async anAppendHangs(cloud, order) {
    const table = await cloud.table();
    await order();
    await expect(cloud.append(table, ROWS, 400)).rejects.toThrow('No answer within 400 ms');
    expect(await cloud.idsIn(table)).toEqual([]);
  },

  async quotaIsUsedUp(cloud, order) {
    const table = await cloud.table();
    await order();
    await expectCode(cloud.append(table, ROWS), CODES.RESOURCE_EXHAUSTED);
    const error = await cloud.clients.bigquery.createQueryJob(QUERY).then(() => undefined, (problem: unknown) => problem as { code: number; errors: { reason: string }[] });
    expect([error?.code, error?.errors[0]?.reason]).toEqual([403, 'quotaExceeded']);
  },

  async insertAllFails(cloud, order) {
    const table = await cloud.table();
    await order();
    await expectCode(cloud.clients.bigquery.dataset(cloud.dataset).table(table).insert(ROWS), 503);
    expect(await cloud.idsIn(table)).toEqual([]);
  },

  async rowsOfARecreatedTableAreSwallowed(cloud, order) {
    const table = await cloud.table();
    const untouched = await cloud.table();
    await cloud.clients.bigquery.dataset(cloud.dataset).table(table).delete();
    await cloud.table(table);
    await order();
    await cloud.append(table, ROWS);
    await cloud.append(untouched, ROWS);
    expect([await cloud.idsIn(table), await cloud.idsIn(untouched)]).toEqual([[], ['a', 'b']]);
  },

  async onlyBigQueryIsDown(cloud, order) {
    await order();
    await expectCode(cloud.clients.bigquery.getDatasets(), 503);
    await expectCode(cloud.append('any', ROWS), CODES.UNAVAILABLE);
    await cloud.clients.storage.bucket(cloud.bucket).file('meanwhile').save('stored', { resumable: false });
  },

  async aJobIsMetWhileItRuns(cloud, order) {
    const jobId = uniqueName('slow').replaceAll('-', '_');
    await order();
    const [job] = await cloud.clients.bigquery.createQueryJob({ ...QUERY, jobId });
    expect((await job.getMetadata())[0].status.state).toBe('RUNNING');
    await expectCode(cloud.clients.bigquery.createQueryJob({ ...QUERY, jobId }), 409);
    expect((await job.getQueryResults())[0]).toEqual([{ one: 1 }]);
  },

  async theRolloverComesBack(cloud, order) {
    await order();
    await until('it answers', () => fetch(cloud.run.functions['rollover']!, { method: 'POST' }).then(({ status }) => status === 200, () => false));
  },

  async aKilledJobEndsWithAnError(cloud, order) {
    const table = await cloud.table();
    const jobId = uniqueName('killed').replaceAll('-', '_');
    const destination = cloud.clients.bigquery.dataset(cloud.dataset).table(table);
    await order(1);
    await cloud.clients.bigquery.createQueryJob({ query: "SELECT 'new' AS id, 1 AS n", destination, writeDisposition: 'WRITE_TRUNCATE', jobId, useLegacySql: false });
    await order();
    const [{ status }] = await cloud.clients.bigquery.job(jobId).getMetadata();
    expect([status.state, status.errorResult?.reason]).toEqual(['DONE', 'backendError']);
    expect(await cloud.idsIn(table)).toEqual([]);
  },

  async aJobFailsAndChangesNothing(cloud, order) {
    const table = await cloud.table();
    await cloud.append(table, ROWS);
    await order();
    const destination = cloud.clients.bigquery.dataset(cloud.dataset).table(table);
    const [job] = await cloud.clients.bigquery.createQueryJob({ query: "SELECT 'new' AS id, 1 AS n", destination, writeDisposition: 'WRITE_TRUNCATE', useLegacySql: false });
    await until('it has failed', async () => (await job.getMetadata())[0].status.errorResult?.reason === 'rateLimitExceeded');
    expect(await cloud.idsIn(table)).toEqual(['a', 'b']);
  },

  async aDropFailsAndIsDone(cloud, order) {
    const table = cloud.clients.bigquery.dataset(cloud.dataset).table(await cloud.table());
    await order();
    await expectCode(table.delete(), 503);
    await expectCode(table.delete(), 404);
  },
};
