// A copy job: the rows of tables as tabledata.list sees them (without the streaming buffer, as Google's copy jobs) into a destination.
import { checkDestination, commitRows, readDisposition, splitDecorator } from './destination.ts';
import type { Table } from './catalogue.ts';
import type { Job, TableReference, Work } from './jobs.ts';
import { Refusal } from './refusal.ts';
import { quoted } from './fields.ts';
import { prepareRows } from './run-query.ts';
import { physicalSql, type TableStore } from './table-store.ts';

export async function runCopy(store: TableStore, job: Job): Promise<Work> {
  const config = job.configuration['copy'] as { sourceTable?: TableReference; sourceTables?: TableReference[]; destinationTable?: TableReference; operationType?: string } & Record<string, unknown>;
  if (config.operationType !== undefined && config.operationType !== 'COPY') throw new Refusal('notImplemented', `Copy jobs of type ${config.operationType} are not implemented in the local BigQuery.`);
  const references = config.sourceTables ?? (config.sourceTable === undefined ? [] : [config.sourceTable]);
  if (references.length === 0 || config.destinationTable === undefined) throw new Refusal('required', 'Required parameter is missing: sourceTables and destinationTable');
  const to = readDisposition(config, 'WRITE_EMPTY', config.destinationTable);
  return store.reading(async () => {
    const find = (): Table[] => references.map(({ projectId, datasetId, tableId }) => {
      if (splitDecorator(tableId).partition !== undefined) throw new Refusal('notImplemented', 'Copying a partition is not implemented in the local BigQuery.');
      return store.catalogue.table(projectId, datasetId, tableId);
    });
    await store.settle(...find());
    // Looked up again: what is in the streaming buffer is known only now.
    const sources = find();
    const first = sources[0]!;
    for (const source of sources) {
      if (source.type === 'VIEW') throw new Refusal('invalid', `${source.table} is a view, which copy jobs do not take.`);
      if (JSON.stringify(source.fields) !== JSON.stringify(first.fields)) throw new Refusal('invalid', 'Source tables of a copy job must have the same schema.');
    }
    const columns = first.fields.map((field) => quoted(field.name)).join(', ');
    const select = sources.map((source) => `SELECT ${columns} FROM ${physicalSql(source.physical)} WHERE ${store.visibleSql(source)}`).join(' UNION ALL ');
    const { physical, rows } = await store.engine.read((connection) => prepareRows(connection, select, first.fields));
    const target = checkDestination(store, to);
    if (target !== undefined) await store.settle(target);
    // A new or replaced table gets the layout of its source.
    const layout = { ...(first.clustering === undefined ? {} : { clustering: first.clustering }), ...(first.timePartitioning === undefined ? {} : { timePartitioning: first.timePartitioning }) };
    return {
      statistics: { copy: { copiedRows: String(rows) } },
      commit: (connection) => commitRows(store, connection, to.write === 'WRITE_APPEND' ? to : { ...layout, ...to }, physical, first.fields),
      abandon: () => store.release({ type: 'TABLE', physical }),
    };
  });
}
