// What a BigQuery contract case works with: Google's client at the address in BIGQUERY_EMULATOR_HOST (or at Google), a dataset of its own, and the
// few steps that nearly every case takes.
import { renameSync, writeFileSync } from 'node:fs';
import { BigQuery, type Table } from '@google-cloud/bigquery';
import { OAuth2Client } from 'google-auth-library';
import type { Launched } from '../implementations.ts';
import { uniqueName, until } from '../wait.ts';

/** Anything that the API answers: cases look into it by matchers. */
export type Resource = Record<string, any>;
export type Field = { name: string; type: string; mode?: string; description?: string; fields?: Field[] };
export type Answer = { status: number; body: Resource; headers: Record<string, string> };
type Call = { method?: string; path: string; body?: object; query?: Record<string, unknown>; headers?: Record<string, string> };

export type BigQueryWorld = {
  launched: Launched;
  client: BigQuery;
  /** Of the suite. */
  dataset: string;
  /** A name that nothing else has, of letters, digits and underscores. */
  name(what: string): string;
  /** A dataset of this case alone. */
  newDataset(options?: object): Promise<string>;
  table(fields: readonly Field[], options?: object, name?: string): Promise<Table>;
  rows(sql: string, options?: object): Promise<Resource[]>;
  /** Inserts a job and waits for its end; refusals of the insert are thrown as Google's client throws them. */
  job(configuration: object, reference?: { jobId?: string }): Promise<Resource>;
  query(query: string, options?: object, reference?: { jobId?: string }): Promise<Resource>;
  ended(jobId: string): Promise<Resource>;
  /** Why a query fails, whether its job was refused or ended so. */
  failure(query: string, options?: object): Promise<{ reason: string; message: string; location?: string }>;
  /** A destination of a job in the suite's dataset. */
  into(table: string, options?: object): { destinationTable: object };
  /** One request of the REST API below the project, without retries, answered whatever its status. */
  call(call: Call): Promise<Answer>;
  /** Ours only: faults, and a clock that is moved while `run` runs. */
  breakCalls(...plans: object[]): Promise<void>;
  mendCalls(): Promise<void>;
  later(offsetMs: number, run: () => Promise<void>): Promise<void>;
};

export async function openWorld(launched: Launched): Promise<BigQueryWorld & { close(): Promise<void> }> {
  const client = openClient(launched);
  const datasets: string[] = [];
  const name = (what: string): string => uniqueName(what).replaceAll('-', '_');
  const call = (given: Call): Promise<Answer> => requestOf(client, given);
  const ended = async (jobId: string): Promise<Resource> => {
    for (;;) {
      const { body } = await call({ path: `/jobs/${jobId}` });
      if (body['status']?.state === 'DONE') return body;
      if (body['status'] === undefined) throw new Error(`There is no job ${jobId}: ${JSON.stringify(body)}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const newDataset = async (options: object = {}): Promise<string> => {
    const id = name('d');
    await client.createDataset(id, options);
    datasets.push(id);
    return id;
  };
  const dataset = await newDataset();
  const world: BigQueryWorld = {
    launched, client, dataset, name, newDataset, call, ended,
    async table(fields, options = {}, id = name('t')) {
      const [made] = await client.dataset(dataset).createTable(id, { schema: { fields }, ...options } as never);
      return made;
    },
    async rows(query, options = {}) {
      const [made] = await client.createQueryJob({ query, defaultDataset: { datasetId: dataset }, ...options } as never);
      const [rows] = await made.getQueryResults();
      return rows as Resource[];
    },
    async job(configuration, reference = {}) {
      const [made] = await client.createJob({ ...reference, configuration } as never);
      return ended(made.id!);
    },
    query: (query, options = {}, reference = {}) => world.job({ query: { query, useLegacySql: false, defaultDataset: { datasetId: dataset }, ...options } }, reference),
    async failure(query, options = {}) {
      const jobId = name('failing');
      const failed = await world.query(query, options, { jobId }).catch((error: Resource) => ({ status: { errorResult: error['errors']?.[0] ?? error } }));
      if (failed['status'].errorResult === undefined) throw new Error(`This query did not fail: ${query}`);
      return failed['status'].errorResult;
    },
    into: (table, options = {}) => ({ destinationTable: { projectId: launched.project, datasetId: dataset, tableId: table }, ...options }),
    async breakCalls(...plans) {
      const response = await fetch(`${launched.ours!.controlUrl}/faults`, { method: 'POST', body: JSON.stringify(plans) });
      if (!response.ok) throw new Error(`The plan was refused: ${await response.text()}`);
    },
    async mendCalls() {
      await fetch(`${launched.ours!.controlUrl}/faults`, { method: 'DELETE' });
    },
    async later(offsetMs, run) {
      await moveClock(world, offsetMs);
      try {
        await run();
      } finally {
        await moveClock(world, 0);
      }
    },
  };
  return {
    ...world,
    async close() {
      // Only a real project outlives the suite.
      if (launched.implementation === 'cloud') await Promise.allSettled(datasets.map((id) => client.dataset(id).delete({ force: true })));
    },
  };
}

async function moveClock(world: BigQueryWorld, offsetMs: number): Promise<void> {
  const file = world.launched.ours!.clockFile;
  writeFileSync(`${file}.new`, JSON.stringify({ offset_ms: offsetMs }));
  renameSync(`${file}.new`, file);
  await until('the clock has moved', async () => {
    const [{ now }] = await world.rows('SELECT UNIX_MILLIS(CURRENT_TIMESTAMP()) AS now') as [{ now: number }];
    return Math.abs(now - (Date.now() + offsetMs)) < 30_000;
  });
}

/** Google's client; where it talks to no Google, with a token that nobody asks for. */
export function openClient(launched: Launched): BigQuery {
  const projectId = launched.project;
  if (launched.implementation === 'cloud') return new BigQuery({ projectId });
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'contract', expiry_date: Date.now() + 86_400_000 });
  const apiEndpoint = process.env['BIGQUERY_EMULATOR_HOST'];
  // Every answer is wanted as it is.
  const once = { autoRetry: false, maxRetries: 0 };
  if (launched.implementation === 'ours') return new BigQuery({ projectId, authClient: authClient as never, ...once });
  // The client takes this variable for the whole base of its URLs, and leaves out the /bigquery/v2 that others insist on.
  delete process.env['BIGQUERY_EMULATOR_HOST'];
  const client = new BigQuery({ projectId, authClient: authClient as never, apiEndpoint: apiEndpoint!, ...once });
  process.env['BIGQUERY_EMULATOR_HOST'] = apiEndpoint;
  // Python's server closes a connection that was idle for five seconds, perhaps just as a request goes into it; so none is used twice.
  client.interceptors.push({ request: (options) => ({ ...options, headers: { ...options.headers, connection: 'close' } }) as never });
  return client;
}

type Reply = { statusCode: number; headers: Record<string, string>; body: unknown };

function requestOf(client: BigQuery, { method = 'GET', path, body, query, headers }: Call): Promise<Answer> {
  const options = { method, uri: path, maxRetries: 0, ...(body === undefined ? {} : { json: body }), ...(query === undefined ? {} : { qs: query }), ...(headers === undefined ? {} : { headers }) };
  return new Promise((done, fail) => {
    client.request(options as never, ((error: (Error & { response?: Reply }) | null, parsed: Resource | undefined, response: Reply | undefined) => {
      const reply = response ?? error?.response;
      if (reply === undefined) return fail(error ?? new Error('no answer'));
      const text = reply.body;
      const found = parsed ?? (typeof text === 'string' && text !== '' ? JSON.parse(text) as Resource : (text as Resource | undefined)) ?? {};
      done({ status: reply.statusCode, body: found, headers: reply.headers });
    }) as never);
  });
}

/** The one error of an answer in Google's shape; throws when it has another shape. */
export function errorOf({ status, body }: Answer): { status: number; reason: string; message: string; location?: string } {
  const { code, message, errors } = body['error'] as { code: number; message: string; errors: { reason: string; message: string; domain: string; location?: string }[] };
  if (code !== status || errors.length !== 1 || errors[0]!.message !== message || errors[0]!.domain !== 'global') throw new Error(`Not Google's shape of an error: ${status} ${JSON.stringify(body)}`);
  const { reason, location } = errors[0]!;
  return { status, reason, message, ...(location === undefined ? {} : { location }) };
}

/** Field names with types, modes and what is nested, on one line. */
export const schemaText = (fields: readonly Field[]): string =>
  fields.map(({ name, type, mode, fields: nested }) => `${name} ${type}${mode === 'REPEATED' ? '[]' : mode === 'REQUIRED' ? '!' : ''}${nested === undefined ? '' : `(${schemaText(nested)})`}`).join(', ');
