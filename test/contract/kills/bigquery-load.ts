// BigQuery under load: rows are appended, streamed, and committed by write streams, some requests hold a wrong row, query jobs replace a table, tables come
// and go.
import { append, appendTo, once, tablePath, type GoogleClients, type Row } from '../google-clients.ts';
import { outcomeOf, work, type Answered, type Load, type Verdict } from './load.ts';

const DATASET = 'load';
const FIELDS = [{ name: 'id', type: 'STRING', mode: 'REQUIRED' }, { name: 'n', type: 'INTEGER' }];
const REPLACED_ROWS = 300;
const CALL_MS = 10_000;

type Request = { ids: string[]; answered: Answered };

export function bigqueryLoad(): Load {
  const tally = { done: 0 };
  const requests: Request[] = [];
  const settled = new Set<string>();
  const jobs = new Map<string, Answered>();
  const tables = new Map<string, boolean | undefined>();
  /** Markers that the replaced table may hold: the last that was acknowledged, and those of which nobody knows. */
  let markers = ['none'];

  async function appendRows(clients: GoogleClients, key: string, turn: number): Promise<Answered> {
    const isWrong = turn % 5 === 4;
    const rows = Array.from({ length: 1 + (turn * 3) % 25 }, (_, index): Row => ({ id: `${key}-${turn}-${index}`, n: index }));
    const answer = append(clients, DATASET, 'rows', isWrong ? [...rows, { n: 1 } as Row] : rows, CALL_MS).then((response) => {
      // A refused request is an answer, not a failure of the call.
      if (response.error || (response.rowErrors?.length ?? 0) > 0) throw Object.assign(new Error('refused'), { code: 400 });
    });
    const answered = await outcomeOf(answer);
    requests.push({ ids: rows.map(({ id }) => id), answered: isWrong && answered === 'unknown' ? 'refused' : answered });
    return answered;
  }

  async function streamRows({ bigquery }: GoogleClients, key: string, turn: number): Promise<Answered> {
    const rows = Array.from({ length: 1 + (turn * 3) % 12 }, (_, index) => ({ id: `${key}-${turn}-${index}`, n: index }));
    const answered = await outcomeOf(bigquery.dataset(DATASET).table('rows').insert(rows.map((json) => ({ json })), { raw: true }));
    requests.push({ ids: rows.map(({ id }) => id), answered });
    return answered;
  }

  /** A PENDING stream: its rows are there together, from its commit on; one in four is never committed. */
  async function commitRows(clients: GoogleClients, key: string, turn: number): Promise<Answered> {
    const { writer } = clients;
    const parent = tablePath(clients, DATASET, 'rows');
    const rows = Array.from({ length: 5 }, (_, index): Row => ({ id: `${key}-${turn}-${index}`, n: index }));
    const answered = await outcomeOf((async () => {
      const [{ name }] = await writer.createWriteStream({ parent, writeStream: { type: 'PENDING' } }, once(CALL_MS));
      await appendTo(clients, name!, rows.slice(0, 3), CALL_MS);
      await appendTo(clients, name!, rows.slice(3), CALL_MS);
      if (turn % 4 === 3) throw Object.assign(new Error('never committed'), { code: 400 });
      await writer.finalizeWriteStream({ name: name! }, once(CALL_MS));
      const [{ streamErrors }] = await writer.batchCommitWriteStreams({ parent, writeStreams: [name!] }, once(CALL_MS));
      if ((streamErrors?.length ?? 0) > 0) throw Object.assign(new Error('refused'), { code: 400 });
    })());
    requests.push({ ids: rows.map(({ id }) => id), answered });
    return answered;
  }

  async function replace({ bigquery }: GoogleClients, key: string, turn: number): Promise<Answered> {
    const jobId = `replace_${key}_${turn}`;
    const query = `SELECT CONCAT('row ', CAST(n AS STRING)) AS id, '${jobId}' AS marker FROM UNNEST(GENERATE_ARRAY(1, ${REPLACED_ROWS})) AS n`;
    const destination = bigquery.dataset(DATASET).table('replaced');
    let isSent = false;
    const answered = await outcomeOf((async () => {
      const [job] = await bigquery.createQueryJob({ query, destination, jobId, writeDisposition: 'WRITE_TRUNCATE', useLegacySql: false });
      isSent = true;
      await job.promise();
    })());
    jobs.set(jobId, isSent ? 'done' : answered);
    if (answered === 'done') markers = [jobId];
    else if (answered === 'unknown') markers.push(jobId);
    return answered;
  }

  async function comeAndGo({ bigquery }: GoogleClients, key: string, turn: number): Promise<Answered> {
    const name = `come_${key}_${turn - (turn % 2)}`;
    const isDelete = turn % 2 === 1;
    if (isDelete && (tables.get(name) !== true || turn % 6 === 1)) return 'done';
    const answered = await outcomeOf(isDelete ? bigquery.dataset(DATASET).table(name).delete() : bigquery.dataset(DATASET).createTable(name, { schema: { fields: FIELDS } }));
    tables.set(name, answered === 'unknown' ? undefined : !isDelete);
    return answered;
  }

  async function check({ bigquery }: GoogleClients): Promise<Verdict> {
    const verdict: Verdict = { checked: 0, lost: [], unexpected: [] };
    await checkRows(bigquery, verdict);
    await checkReplaced(bigquery, verdict);
    for (const [jobId, answered] of jobs) {
      if (answered === 'unknown') continue;
      verdict.checked += 1;
      const isKnown = await bigquery.job(jobId).getMetadata().then(([{ status }]) => status.state === 'DONE', () => false);
      if (!isKnown) verdict.lost.push(`job ${jobId}`);
    }
    const [all] = await bigquery.dataset(DATASET).getTables();
    const names = new Set(all.map(({ id }) => id!));
    for (const [name, exists] of tables) {
      if (exists === undefined) continue;
      verdict.checked += 1;
      if (exists !== names.has(name)) verdict.lost.push(exists ? `table ${name}` : `the deletion of table ${name}`);
    }
    requests.length = 0;
    jobs.clear();
    tables.clear();
    return verdict;
  }

  async function checkRows(bigquery: GoogleClients['bigquery'], verdict: Verdict): Promise<void> {
    const [rows] = await bigquery.query(`SELECT id, COUNT(*) AS n FROM \`${DATASET}.rows\` GROUP BY id`);
    const stored = new Map((rows as { id: string; n: number }[]).map(({ id, n }) => [id, n]));
    verdict.lost.push(...[...settled].filter((id) => !stored.has(id)).map((id) => `row ${id}`));
    verdict.unexpected.push(...[...stored].filter(([, count]) => count > 1).map(([id, count]) => `row ${id}, ${count} times`));
    const sent = new Set(requests.flatMap(({ ids }) => ids));
    verdict.unexpected.push(...[...stored.keys()].filter((id) => !sent.has(id) && !settled.has(id)).map((id) => `row ${id}, which was never sent`));
    for (const { ids, answered } of requests) {
      const there = ids.filter((id) => stored.has(id));
      if (answered === 'done') {
        verdict.checked += ids.length;
        verdict.lost.push(...ids.filter((id) => !stored.has(id)).map((id) => `row ${id}`));
      } else if (answered === 'refused') verdict.unexpected.push(...there.map((id) => `refused row ${id}`));
      else if (there.length > 0 && there.length < ids.length) verdict.unexpected.push(`a part of the request of row ${ids[0]}`);
      for (const id of there) settled.add(id);
    }
  }

  async function checkReplaced(bigquery: GoogleClients['bigquery'], verdict: Verdict): Promise<void> {
    const [rows] = await bigquery.query(`SELECT marker, COUNT(*) AS n FROM \`${DATASET}.replaced\` GROUP BY marker`);
    const found = rows as { marker: string; n: number }[];
    verdict.checked += 1;
    if (found.length !== 1 || found[0]!.n !== REPLACED_ROWS) verdict.unexpected.push(`a half-written table: ${JSON.stringify(found)}`);
    else if (!markers.includes(found[0]!.marker)) verdict.lost.push(`the table of ${markers.join(' or ')}: ${found[0]!.marker} is there`);
    markers = [found[0]?.marker ?? 'none'];
  }

  return {
    service: 'bigquery', tally, check,
    async prepare(clients) {
      await clients.bigquery.createDataset(DATASET);
      await clients.bigquery.dataset(DATASET).createTable('rows', { schema: { fields: FIELDS } });
      await replace(clients, 'first', 0);
    },
    async run(clients, isOver, round) {
      await Promise.all([
        work(tally, 2, isOver, (worker, turn) => appendRows(clients, `r${round}a${worker}`, turn)),
        work(tally, 1, isOver, (_, turn) => streamRows(clients, `r${round}s`, turn)),
        work(tally, 1, isOver, (_, turn) => commitRows(clients, `r${round}c`, turn)),
        work(tally, 1, isOver, (_, turn) => replace(clients, `r${round}`, turn)),
        work(tally, 1, isOver, (_, turn) => comeAndGo(clients, `r${round}`, turn)),
      ]);
    },
    async sabotage({ bigquery }) {
      const [stolen] = settled;
      if (stolen === undefined) throw new Error('No row was ever acknowledged.');
      await bigquery.query(`CREATE OR REPLACE TABLE \`${DATASET}.rows\` AS SELECT * FROM \`${DATASET}.rows\` WHERE id != '${stolen}'`);
    },
  };
}
