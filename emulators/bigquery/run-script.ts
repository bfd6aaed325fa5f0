// A job of several statements: GoogleSQL in, a child job for each statement that ran, and the last one's result out. Called by jobs through rest-jobs.ts.
import { createHash } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Dataset } from './catalogue.ts';
import { removeDataset } from './ddl.ts';
import type { Job, Jobs, OnCancel, Work } from './jobs.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { asQueryError, contextOf, fileName, mergeQuery, processedBytes, runStatement, statisticsOf, tablesOf, type QueryConfiguration, type QueryRunner } from './run-query.ts';
import type { TranslatedStatement } from './sql/context.ts';
import type { StepAnswer } from './sql/script-variables.ts';
import { translateScript } from './sql/translate.ts';
import type { TableStore } from './table-store.ts';
import { throughTransaction, Transaction } from './transaction.ts';

export type ScriptRunner = QueryRunner & { jobs: Jobs };

type Run = { runner: ScriptRunner; job: Job; config: QueryConfiguration; onCancel: OnCancel; children: number; last: Job | undefined; bytes: number; transaction?: Transaction | undefined; temporary: string };

/** Each statement sees what those before it did, and a statement that fails leaves what ran before it, as in BigQuery. */
export async function runScript(runner: ScriptRunner, job: Job, onCancel: OnCancel): Promise<Work> {
  const { store } = runner;
  const config = job.configuration['query'] as QueryConfiguration;
  const temporary = `_script${createHash('sha1').update(`${job.project}:${job.jobId}`).digest('hex')}`;
  const run: Run = { runner, job, config, onCancel, children: 0, last: undefined, bytes: 0, temporary };
  await openDataset(store, job.project, temporary);
  try {
    const context = contextOf(store, job.project, config);
    const catalogue = throughTransaction(context.catalogue, () => run.transaction);
    const steps = translateScript(config.query, { ...context, catalogue, temporaryDataset: temporary, get now() { return new Date(store.now()); } });
    await drive(run, steps);
  } finally {
    // A transaction that nobody ended is undone.
    run.transaction?.rollback();
    await dropDataset(store, job.project, temporary);
  }
  const { last } = run;
  return {
    statistics: {
      numChildJobs: String(run.children), totalBytesProcessed: String(run.bytes),
      query: { statementType: 'SCRIPT', totalBytesProcessed: String(run.bytes), totalBytesBilled: String(run.bytes), cacheHit: false },
    },
    ...(last?.result === undefined ? {} : { result: last.result }),
  };
}

type Steps = ReturnType<typeof translateScript>;

async function drive(run: Run, steps: Steps): Promise<void> {
  let outcome: Outcome = { answer: undefined };
  for (let isDone = false; !isDone;) {
    // Looking names up and using them is one reading, so that no table goes away in between.
    isDone = await run.runner.store.reading(async () => {
      const step: IteratorResult<TranslatedStatement, void> = 'error' in outcome ? steps.throw(outcome.error) : steps.next(outcome.answer);
      if (step.done === true) return true;
      // A cancelled script stops between two statements, too.
      run.onCancel(() => undefined);
      outcome = await carryOutStep(run, step.value);
      return false;
    });
  }
}

type Outcome = { answer: StepAnswer | undefined } | { error: unknown };

async function carryOutStep(run: Run, statement: TranslatedStatement): Promise<Outcome> {
  try {
    if (statement.kind === 'value') return { answer: { rows: await valueRows(run, statement) } };
    if (statement.kind === 'transaction') await stepTransaction(run, statement);
    return { answer: await runChild(run, statement) };
  } catch (error) {
    return { error };
  }
}

async function stepTransaction(run: Run, { statementType }: TranslatedStatement): Promise<void> {
  const { transaction } = run;
  if (statementType === 'BEGIN_TRANSACTION') {
    if (transaction !== undefined) throw new Refusal('invalidQuery', 'Transaction control statement is not supported: a transaction is already active', 'query');
    run.transaction = new Transaction(run.runner.store);
    return;
  }
  if (transaction === undefined) throw new Refusal('invalidQuery', 'Transaction control statement is only allowed when there is an active transaction', 'query');
  delete run.transaction;
  if (statementType === 'ROLLBACK_TRANSACTION') return transaction.rollback();
  try {
    await transaction.commit();
  } catch (error) {
    transaction.rollback();
    throw error;
  }
}

/** What a statement does: by itself, or inside the transaction that is open. */
async function workOf(run: Run, child: Job, config: QueryConfiguration, statement: TranslatedStatement): Promise<Work> {
  const { transaction, temporary, runner } = run;
  if (statement.kind === 'transaction') return { statistics: {} };
  if (transaction !== undefined && statement.kind === 'ddl' && !('path' in statement.ddl! && statement.ddl.path.dataset === temporary)) {
    throw new Refusal('invalidQuery', `The statement ${statement.statementType.replaceAll('_', ' ')} is not supported inside a transaction`, 'query');
  }
  if (transaction === undefined || statement.kind !== 'dml') return runStatement(runner, child, config, statement, fileName(child), run.onCancel);
  return transaction.change(statement);
}

async function valueRows({ runner: { store }, onCancel }: Run, statement: TranslatedStatement): Promise<unknown[][]> {
  await store.settle(...tablesOf(store, statement));
  return store.engine.read(async (connection: DuckDBConnection) => {
    onCancel(() => connection.interrupt());
    try {
      return (await connection.runAndReadAll(statement.duckSql)).getRows();
    } catch (error) {
      return asQueryError(error);
    } finally {
      onCancel(undefined);
    }
  });
}

/** The statement as a job of its own, which can be asked for its rows like any other. */
async function runChild(run: Run, statement: TranslatedStatement): Promise<StepAnswer> {
  const { runner, job } = run;
  const jobId = `script_job_${createHash('sha1').update(`${job.jobId}:${run.children}`).digest('hex').slice(0, 32)}_${run.children}`;
  run.children += 1;
  const config = { query: statement.text ?? '', useLegacySql: false };
  const spec = { project: job.project, jobId, location: job.location, configuration: { jobType: 'QUERY', query: config }, parentJobId: job.jobId };
  const { job: child, done } = await runner.jobs.start(spec, async (started) => {
    const work = await workOf(run, started, config, statement);
    const bytes = await processedBytes(runner, [statement]);
    run.bytes += bytes;
    const place = statement.place ?? { line: 1, column: 1 };
    const scriptStatistics = { evaluationKind: 'STATEMENT', stackFrames: [{ startLine: place.line, startColumn: place.column, endLine: place.line, endColumn: place.column, text: statement.text ?? '' }] };
    return { ...work, statistics: { ...mergeQuery({ ...statisticsOf([statement], bytes), ...work.statistics }, bytes, [statement]), scriptStatistics } };
  });
  await done;
  if (child.errorResult !== undefined) throw refusalOf(child.errorResult);
  if (statement.kind !== 'transaction') run.last = child;
  return child.result?.dmlRows === undefined ? {} : { changedRows: child.result.dmlRows };
}

async function openDataset(store: TableStore, project: string, name: string): Promise<void> {
  const now = store.now();
  const dataset: Dataset = { kind: 'dataset', project, dataset: name, createdMs: now, modifiedMs: now, properties: {} };
  (await store.engine.change((connection) => store.catalogue.put(connection, dataset)))();
}

async function dropDataset(store: TableStore, project: string, name: string): Promise<void> {
  const dataset = store.catalogue.findDataset(project, name);
  if (dataset === undefined) return;
  (await store.engine.change((connection) => removeDataset(store, connection, dataset, true)))();
}

/** Temporary tables of scripts that a killed process left. Called at the start, before anything runs. */
export async function dropLeftovers(store: TableStore): Promise<void> {
  for (const dataset of store.catalogue.all('dataset')) if (dataset.dataset.startsWith('_script')) await dropDataset(store, dataset.project, dataset.dataset);
}

