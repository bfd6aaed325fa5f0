// Contract cases of what becomes of appended rows: DML, the streaming buffer, kills, broken connections, tables made again.
import { expect } from 'vitest';
import type { ContractCase } from '../contract.ts';
import type { Field } from '../bigquery/world.ts';
import { refusalOf } from '../wait.ts';
import { message } from './messages.ts';
import type { WriteWorld } from './world.ts';

const PROTO = 'https://docs.cloud.google.com/bigquery/docs/reference/storage/rpc/google.cloud.bigquery.storage.v1';
const DOCS = 'https://docs.cloud.google.com/bigquery/docs/write-api';
const FIELDS: Field[] = [{ name: 'id', type: 'STRING' }, { name: 'n', type: 'INTEGER' }];
const ROW = message('Row', { id: 'string', n: 'int64' });

export const AFTER_APPEND_CASES: readonly ContractCase<WriteWorld>[] = [
  {
    name: 'dml-may-change-appended-rows', promise: 'DML changes rows of the Storage Write API at once, unlike those of insertAll', methods: ['AppendRows'], source: 'https://docs.cloud.google.com/bigquery/docs/data-manipulation-language#limitations',
    async run(world) {
      const table = await world.newTable(FIELDS);
      await world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a', n: 1 }, { id: 'b', n: 1 }]);
      await world.query(`UPDATE ${table} SET n = 2 WHERE id = 'a'`);
      await world.query(`DELETE FROM ${table} WHERE id = 'b'`);
      expect(await world.stored(table)).toEqual([{ id: 'a', n: 2 }]);
    },
  },
  {
    name: 'appended-rows-wait-in-buffer', promise: 'appended rows are in the streaming buffer: a copy job leaves them out', methods: ['AppendRows'], source: `${DOCS}#data_availability`, needs: ['faults'],
    async run(world) {
      const table = await world.newTable(FIELDS);
      await world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a' }]);
      const copy = world.name('copy');
      const reference = (tableId: string): object => ({ projectId: world.launched.project, datasetId: world.dataset, tableId });
      await world.job({ copy: { sourceTable: reference(table), destinationTable: reference(copy) } });
      expect(await world.stored(copy)).toEqual([]);
      expect((await world.client.dataset(world.dataset).table(table).getMetadata())[0]).toMatchObject({ numRows: '0', streamingBuffer: { estimatedRows: '1' } });
    },
  },
  {
    name: 'rows-of-named-streams-wait-in-buffer', promise: 'rows of named streams are in the streaming buffer too: a copy job leaves them out', methods: ['AppendRows', 'CreateWriteStream'], source: `${DOCS}#data_availability`, needs: ['faults'],
    async run(world) {
      const table = await world.newTable(FIELDS);
      const [stream] = await world.writer.createWriteStream({ parent: world.tablePath(table), writeStream: { type: 'COMMITTED' } });
      await world.connect(stream.name!).append(ROW, [{ id: 'a' }, { id: 'b' }]);
      expect(await world.stored(table)).toHaveLength(2);
      const copy = world.name('copy');
      const reference = (tableId: string): object => ({ projectId: world.launched.project, datasetId: world.dataset, tableId });
      await world.job({ copy: { sourceTable: reference(table), destinationTable: reference(copy) } });
      expect(await world.stored(copy)).toEqual([]);
    },
  },
  {
    name: 'appends-outlive-kill', promise: 'rows that were acknowledged are there once after the service was killed', methods: ['AppendRows'], source: PROTO, needs: ['restart'], isAlone: true,
    async run(world) {
      const table = await world.newTable(FIELDS);
      const connection = world.connect(world.defaultStream(table));
      for (let n = 0; n < 20; n += 1) await connection.append(ROW, [{ id: 'x', n }]);
      await world.launched.ours!.restart();
      expect((await world.stored(table, 'n')).map((row) => row['n'])).toEqual(Array.from({ length: 20 }, (_, n) => n));
    },
  },
  {
    name: 'connection-breaks', promise: 'a connection that breaks after its rows were stored fails the call; sent again, the rows are there twice', methods: ['AppendRows'], source: DOCS, needs: ['faults'], isAlone: true,
    async run(world) {
      const table = await world.newTable(FIELDS);
      await world.breakCalls({ method: 'AppendRows', kind: 'fail', status: 'ABORTED', takes_effect: true });
      expect(await refusalOf(world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a' }]))).toMatchObject({ code: 10 });
      await world.connect(world.defaultStream(table)).append(ROW, [{ id: 'a' }]);
      expect((await world.stored(table)).length).toBe(2);
    },
  },
  {
    name: 'dropped-and-recreated', promise: 'rows appended to a table made again under a dropped name may be acknowledged and lost: the window that Google documents can be ordered', methods: ['AppendRows'], source: 'https://docs.cloud.google.com/bigquery/docs/write-api-rest#metadata-errors', needs: ['faults'], isAlone: true,
    async run(world) {
      const [table, other] = [await world.newTable(FIELDS), await world.newTable(FIELDS)];
      await world.client.dataset(world.dataset).table(table).delete();
      await world.newTable(FIELDS, table);
      await world.breakCalls({ method: 'AppendRows.recreated', kind: 'lose', times: null });
      for (const name of [table, other]) expect((await world.connect(world.defaultStream(name)).append(ROW, [{ id: 'a' }])).error ?? null).toBeNull();
      expect([(await world.stored(table)).length, (await world.stored(other)).length]).toEqual([0, 1]);
      await world.mendCalls();
    },
  },
];
