// Contract cases of named streams: offsets that make a repeated append harmless, and the three ways in which rows become visible.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import type { Field } from '../bigquery/world.ts';
import { refusalOf } from '../wait.ts';
import { message } from './messages.ts';
import { storageCode, type Connection, type WriteWorld } from './world.ts';

const PROTO = 'https://docs.cloud.google.com/bigquery/docs/reference/storage/rpc/google.cloud.bigquery.storage.v1';
const DOCS = 'https://docs.cloud.google.com/bigquery/docs/write-api';
const FIELDS: Field[] = [{ name: 'n', type: 'INTEGER' }];
const ROW = message('Row', { n: 'int64' });
const [INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, OUT_OF_RANGE] = [3, 5, 6, 11];

async function open(world: WriteWorld, type: 'COMMITTED' | 'PENDING' | 'BUFFERED', table?: string): Promise<{ table: string; name: string; connection: Connection }> {
  const made = table ?? await world.newTable(FIELDS);
  const [stream] = await world.writer.createWriteStream({ parent: world.tablePath(made), writeStream: { type } });
  return { table: made, name: stream.name!, connection: world.connect(stream.name!) };
}
const numbers = async (world: WriteWorld, table: string): Promise<unknown[]> => (await world.stored(table, 'n')).map((row) => row['n']);
const rows = (...values: number[]): object[] => values.map((n) => ({ n }));

export const NAMED_STREAM_CASES: readonly ContractCase<WriteWorld>[] = [
  {
    name: 'stream-created', promise: 'CreateWriteStream answers a name below the table, the type, the time and the schema', methods: ['CreateWriteStream', 'GetWriteStream'], source: `${PROTO}#createwritestreamrequest`,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const [stream] = await world.writer.createWriteStream({ parent: world.tablePath(table), writeStream: { type: 'PENDING' } });
      expect(stream.name?.startsWith(`${world.tablePath(table)}/streams/`)).toBe(true);
      expect(stream).toMatchObject({ type: 'PENDING', tableSchema: { fields: [{ name: 'n', type: 'INT64' }] } });
      expect(Math.abs(Number(stream.createTime?.seconds) - Date.now() / 1_000)).toBeLessThan(60);
      expect((await world.writer.getWriteStream({ name: stream.name! }))[0]).toMatchObject({ name: stream.name, type: 'PENDING' });
    },
  },
  {
    name: 'stream-tells-its-commit', promise: 'GetWriteStream of a stream that was committed says when, one that was not says nothing; the schema has the descriptions of its columns', methods: ['GetWriteStream', 'BatchCommitWriteStreams'], source: `${PROTO}#writestream`,
    async run(world) {
      const { table, name, connection } = await open(world, 'PENDING', await world.newTable([{ name: 'n', type: 'INTEGER', description: 'how many' }]));
      await connection.append(ROW, rows(1));
      await world.writer.finalizeWriteStream({ name });
      expect((await world.writer.getWriteStream({ name }))[0].commitTime ?? null).toBeNull();
      const [{ commitTime }] = await world.writer.batchCommitWriteStreams({ parent: world.tablePath(table), writeStreams: [name] });
      const [stream] = await world.writer.getWriteStream({ name, view: 'FULL' });
      expect(stream.commitTime).toEqual(commitTime);
      expect(stream.tableSchema?.fields).toMatchObject([{ name: 'n', type: 'INT64', description: 'how many' }]);
    },
  },
  {
    name: 'stream-refusals', promise: 'a stream of no type is INVALID_ARGUMENT; a stream or table that is not there is NOT_FOUND', methods: ['CreateWriteStream', 'AppendRows', 'FinalizeWriteStream'], source: PROTO,
    async run(world) {
      const table = await world.newTable(FIELDS);
      expect(await refusalOf(world.writer.createWriteStream({ parent: world.tablePath(table), writeStream: {} }))).toMatchObject({ code: INVALID_ARGUMENT });
      expect(await refusalOf(world.writer.createWriteStream({ parent: world.tablePath(world.name('missing')), writeStream: { type: 'COMMITTED' } }))).toMatchObject({ code: NOT_FOUND });
      const nowhere = `${world.tablePath(table)}/streams/nowhere`;
      expect(await refusalOf(world.connect(nowhere).append(ROW, rows(1)))).toMatchObject({ code: NOT_FOUND });
      expect(await refusalOf(world.writer.finalizeWriteStream({ name: nowhere }))).toMatchObject({ code: NOT_FOUND });
    },
  },
  {
    name: 'committed-visible-at-once', promise: 'rows of a COMMITTED stream are seen as soon as they are answered, and each answer names the offset of its first row', methods: ['AppendRows'], source: `${DOCS}#committed_type`,
    async run(world) {
      const { table, connection } = await open(world, 'COMMITTED');
      const offsets = [];
      for (const part of [[1, 2], [3], [4, 5, 6]]) offsets.push(Number((await connection.append(ROW, rows(...part))).appendResult?.offset?.value ?? NaN));
      expect(offsets).toEqual([0, 2, 3]);
      expect(await numbers(world, table)).toEqual([1, 2, 3, 4, 5, 6]);
      connection.close();
    },
  },
  {
    name: 'offset-already-exists', promise: 'an append at an offset that the stream has already is ALREADY_EXISTS and stores nothing: repeating it is harmless', methods: ['AppendRows'], source: `${DOCS}-best-practices#manage_stream_offsets_to_achieve_exactly-once_semantics`,
    async run(world) {
      const { table, connection } = await open(world, 'COMMITTED');
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const answer = await connection.append(ROW, rows(1, 2), { offset: { value: 0 } });
        expect(answer.error?.code ?? 0).toBe(attempt === 0 ? 0 : ALREADY_EXISTS);
        if (attempt > 0) expect(storageCode(answer)).toBe('OFFSET_ALREADY_EXISTS');
      }
      expect((await connection.append(ROW, rows(3), { offset: { value: 2 } })).error ?? null).toBeNull();
      expect(await numbers(world, table)).toEqual([1, 2, 3]);
      connection.close();
    },
  },
  {
    name: 'offset-out-of-range', promise: 'an append beyond the end of the stream is OUT_OF_RANGE and stores nothing; at the end it is taken', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const { table, connection } = await open(world, 'COMMITTED');
      const answer = await connection.append(ROW, rows(1), { offset: { value: 1 } });
      expect(answer.error?.code).toBe(OUT_OF_RANGE);
      expect(storageCode(answer)).toBe('OFFSET_OUT_OF_RANGE');
      expect((await connection.append(ROW, rows(1), { offset: { value: 0 } })).error ?? null).toBeNull();
      expect(await numbers(world, table)).toEqual([1]);
      connection.close();
    },
  },
  {
    name: 'offset-after-refused-row', promise: 'a request that was refused for a bad row takes no offset', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const { table, connection } = await open(world, 'COMMITTED');
      await connection.append(ROW, rows(1));
      const bad = await connection.send({ protoRows: { rows: { serializedRows: [ROW.encode({ n: 2 }), Buffer.from([0x08])] } } });
      expect(bad.rowErrors?.map((row) => Number(row.index))).toEqual([1]);
      expect(Number((await connection.append(ROW, rows(2), { offset: { value: 1 } })).appendResult?.offset?.value)).toBe(1);
      expect(await numbers(world, table)).toEqual([1, 2]);
      connection.close();
    },
  },
  {
    name: 'offsets-raced', promise: 'of two connections that append at one offset exactly one is stored', methods: ['AppendRows'], source: PROTO,
    async run(world) {
      const { table, name, connection } = await open(world, 'COMMITTED');
      const other = world.connect(name);
      const answers = await Promise.all([connection.append(ROW, rows(1), { offset: { value: 0 } }), other.append(ROW, rows(2), { offset: { value: 0 } })]);
      expect(answers.map(({ error }) => error?.code ?? 0).sort()).toEqual([0, ALREADY_EXISTS]);
      expect((await numbers(world, table)).length).toBe(1);
      connection.close();
      other.close();
    },
  },
  {
    name: 'pending-invisible-until-commit', promise: 'rows of PENDING streams are seen only after they were finalized and committed, all streams at once', methods: ['CreateWriteStream', 'FinalizeWriteStream', 'BatchCommitWriteStreams'], source: `${DOCS}-batch`,
    async run(world) {
      const one = await open(world, 'PENDING');
      const other = await open(world, 'PENDING', one.table);
      await one.connection.append(ROW, rows(1, 2));
      await other.connection.append(ROW, rows(3));
      expect(await numbers(world, one.table)).toEqual([]);
      expect(Number((await world.writer.finalizeWriteStream({ name: one.name }))[0].rowCount)).toBe(2);
      expect(Number((await world.writer.finalizeWriteStream({ name: other.name }))[0].rowCount)).toBe(1);
      expect(await numbers(world, one.table)).toEqual([]);
      const [committed] = await world.writer.batchCommitWriteStreams({ parent: world.tablePath(one.table), writeStreams: [one.name, other.name] });
      expect(committed.streamErrors ?? []).toEqual([]);
      expect(Number(committed.commitTime?.seconds)).toBeGreaterThan(0);
      expect(await numbers(world, one.table)).toEqual([1, 2, 3]);
    },
  },
  {
    name: 'commit-refusals', promise: 'what is not finalized, not PENDING, committed already or unknown is named in stream_errors, and then nothing is committed', methods: ['BatchCommitWriteStreams'], source: `${PROTO}#batchcommitwritestreamsresponse`,
    async run(world) {
      const good = await open(world, 'PENDING');
      await good.connection.append(ROW, rows(1));
      await world.writer.finalizeWriteStream({ name: good.name });
      const unfinished = await open(world, 'PENDING', good.table);
      const committed = await open(world, 'COMMITTED', good.table);
      const unknown = `${world.tablePath(good.table)}/streams/unknown`;
      const commit = async (...writeStreams: string[]): Promise<unknown[]> => {
        const [answer] = await world.writer.batchCommitWriteStreams({ parent: world.tablePath(good.table), writeStreams });
        return [answer.commitTime ? 'committed' : 'not', ...(answer.streamErrors ?? []).map((error) => [error.code, error.entity])];
      };
      expect(await commit(good.name, unfinished.name)).toEqual(['not', ['INVALID_STREAM_STATE', unfinished.name]]);
      expect(await commit(good.name, committed.name)).toEqual(['not', ['INVALID_STREAM_TYPE', committed.name]]);
      expect(await commit(good.name, unknown)).toEqual(['not', ['STREAM_NOT_FOUND', unknown]]);
      expect(await numbers(world, good.table)).toEqual([]);
      expect(await commit(good.name)).toEqual(['committed']);
      expect(await commit(good.name)).toEqual(['not', ['STREAM_ALREADY_COMMITTED', good.name]]);
      expect(await numbers(world, good.table)).toEqual([1]);
    },
  },
  {
    name: 'finalized-takes-no-rows', promise: 'a finalized stream refuses rows with STREAM_FINALIZED, and finalizing twice answers the same count', methods: ['FinalizeWriteStream', 'AppendRows'], source: `${PROTO}#finalizewritestreamresponse`,
    async run(world) {
      const { table, name, connection } = await open(world, 'COMMITTED');
      await connection.append(ROW, rows(1));
      for (let attempt = 0; attempt < 2; attempt += 1) expect(Number((await world.writer.finalizeWriteStream({ name }))[0].rowCount)).toBe(1);
      const answer = await connection.append(ROW, rows(2));
      expect(answer.error?.code).toBe(INVALID_ARGUMENT);
      expect(storageCode(answer)).toBe('STREAM_FINALIZED');
      expect(await numbers(world, table)).toEqual([1]);
      connection.close();
    },
  },
  {
    name: 'buffered-until-flushed', promise: 'rows of a BUFFERED stream are seen up to and with the offset that was flushed; flushing less again changes nothing', methods: ['FlushRows', 'AppendRows'], source: `${DOCS}#buffered_type`,
    async run(world) {
      const { table, name, connection } = await open(world, 'BUFFERED');
      await connection.append(ROW, rows(1, 2, 3));
      await connection.append(ROW, rows(4, 5));
      expect(await numbers(world, table)).toEqual([]);
      const flush = async (offset: number): Promise<number> => Number((await world.writer.flushRows({ writeStream: name, offset: { value: offset } }))[0].offset);
      expect(await flush(1)).toBe(1);
      expect(await numbers(world, table)).toEqual([1, 2]);
      await flush(0);
      expect(await numbers(world, table)).toEqual([1, 2]);
      await flush(3);
      expect(await numbers(world, table)).toEqual([1, 2, 3, 4]);
      await flush(4);
      expect(await numbers(world, table)).toEqual([1, 2, 3, 4, 5]);
      expect(await refusalOf(flush(5))).toMatchObject({ code: OUT_OF_RANGE });
      connection.close();
    },
  },
  {
    name: 'flush-and-finalize-kinds', promise: 'only BUFFERED streams are flushed, and the default stream is neither flushed nor finalized', methods: ['FlushRows', 'FinalizeWriteStream'], source: PROTO,
    async run(world) {
      const { table, name, connection } = await open(world, 'COMMITTED');
      await connection.append(ROW, rows(1));
      expect(await refusalOf(world.writer.flushRows({ writeStream: name, offset: { value: 0 } }))).toMatchObject({ code: INVALID_ARGUMENT });
      expect(await refusalOf(world.writer.flushRows({ writeStream: world.defaultStream(table), offset: { value: 0 } }))).toMatchObject({ code: INVALID_ARGUMENT });
      expect(await refusalOf(world.writer.finalizeWriteStream({ name: world.defaultStream(table) }))).toMatchObject({ code: INVALID_ARGUMENT });
      connection.close();
    },
  },
  {
    name: 'streams-of-dropped-table', promise: 'the streams of a table are gone with it, also when a table of its name is made again', methods: ['AppendRows', 'GetWriteStream'], source: PROTO,
    async run(world) {
      const { table, name } = await open(world, 'COMMITTED');
      await world.client.dataset(world.dataset).table(table).delete();
      await world.newTable(FIELDS, table);
      expect(await refusalOf(world.connect(name).append(ROW, rows(1)))).toMatchObject({ code: NOT_FOUND });
      expect(await refusalOf(world.writer.getWriteStream({ name }))).toMatchObject({ code: NOT_FOUND });
    },
  },
  {
    name: 'streams-outlive-kill', promise: 'offsets, finalized streams and rows that can not be seen yet are there after the service was killed, and each row once', methods: ['AppendRows', 'FinalizeWriteStream', 'BatchCommitWriteStreams', 'FlushRows'], source: PROTO, needs: ['restart'], isAlone: true,
    async run(world) {
      const committed = await open(world, 'COMMITTED');
      const pending = await open(world, 'PENDING');
      const buffered = await open(world, 'BUFFERED');
      for (const { connection } of [committed, pending, buffered]) for (const n of [1, 2, 3]) await connection.append(ROW, rows(n));
      await numbers(world, committed.table);
      await committed.connection.append(ROW, rows(4));
      await world.writer.finalizeWriteStream({ name: pending.name });
      await world.writer.flushRows({ writeStream: buffered.name, offset: { value: 0 } });
      await world.launched.ours!.restart();
      const again = world.connect(committed.name);
      expect((await again.append(ROW, rows(4), { offset: { value: 3 } })).error?.code).toBe(ALREADY_EXISTS);
      await again.append(ROW, rows(5), { offset: { value: 4 } });
      expect(await numbers(world, committed.table)).toEqual([1, 2, 3, 4, 5]);
      expect(await numbers(world, pending.table)).toEqual([]);
      await world.writer.batchCommitWriteStreams({ parent: world.tablePath(pending.table), writeStreams: [pending.name] });
      expect(await numbers(world, pending.table)).toEqual([1, 2, 3]);
      expect(await numbers(world, buffered.table)).toEqual([1]);
      await world.writer.flushRows({ writeStream: buffered.name, offset: { value: 2 } });
      expect(await numbers(world, buffered.table)).toEqual([1, 2, 3]);
    },
  },
];
