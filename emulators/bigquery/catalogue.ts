// Datasets, tables and routines: in memory for every request, in DuckDB's schema `meta` for the next process. The same transaction that
// changes rows changes these, so a killed process never leaves one without the other.
import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf, type Engine } from './engine.ts';
import type { TableField } from './fields.ts';
import { Refusal } from './refusal.ts';
import type { RoutineEntry } from './sql/context.ts';

/** Properties that the local BigQuery keeps and gives back without acting on them (description, labels, friendlyName, …). */
export type Properties = Record<string, unknown>;

export type Dataset = { kind: 'dataset'; project: string; dataset: string; createdMs: number; modifiedMs: number; properties: Properties };

/** Rows [from, to) of a table, by DuckDB's rowid, that came by streaming since `atMs`: tabledata.list and copy jobs miss them for a while. */
export type BufferedRows = { from: number; to: number; atMs: number; way: 'insert' | 'write' };

export type Table = {
  kind: 'table';
  project: string;
  dataset: string;
  table: string;
  type: 'TABLE' | 'VIEW';
  fields: TableField[];
  /** Name in DuckDB's schema `data`; a truncating job gives the table another. */
  physical: string;
  /** Of this incarnation: a table dropped and made again is another table. Names its journal. */
  uid: string;
  createdMs: number;
  modifiedMs: number;
  schemaChangedMs: number;
  /** Journal files up to this one are in the physical table. */
  appliedSeq: number;
  buffered: BufferedRows[];
  clustering?: string[];
  timePartitioning?: { type: string; field?: string; expirationMs?: string };
  viewQuery?: string;
  properties: Properties;
};

export type Routine = { kind: 'routine'; project: string; dataset: string; routine: string; createdMs: number; modifiedMs: number; resource: Properties; entry: RoutineEntry };

export type Resource = Dataset | Table | Routine;

const nameOf = (resource: Resource): string =>
  resource.kind === 'dataset' ? '' : resource.kind === 'table' ? resource.table : resource.routine;
const keyOf = (kind: Resource['kind'], project: string, dataset: string, name = ''): string => `${kind} ${project}:${dataset}.${name}`;

export class Catalogue {
  private readonly resources = new Map<string, Resource>();

  static async load(engine: Engine): Promise<Catalogue> {
    const catalogue = new Catalogue();
    await engine.alone(async (connection) => {
      await connection.run('CREATE SCHEMA IF NOT EXISTS meta; CREATE SCHEMA IF NOT EXISTS data; CREATE TABLE IF NOT EXISTS meta.resource(key VARCHAR, doc VARCHAR)');
      for (const row of await rowsOf(connection, 'SELECT doc FROM meta.resource')) {
        const resource = JSON.parse(row['doc'] as string) as Resource;
        catalogue.resources.set(keyOf(resource.kind, resource.project, resource.dataset, nameOf(resource)), resource);
      }
    });
    return catalogue;
  }

  findDataset(project: string, dataset: string): Dataset | undefined {
    return this.resources.get(keyOf('dataset', project, dataset)) as Dataset | undefined;
  }
  findTable(project: string, dataset: string, table: string): Table | undefined {
    return this.resources.get(keyOf('table', project, dataset, table)) as Table | undefined;
  }
  findRoutine(project: string, dataset: string, routine: string): Routine | undefined {
    return this.resources.get(keyOf('routine', project, dataset, routine)) as Routine | undefined;
  }

  dataset(project: string, dataset: string): Dataset {
    const found = this.findDataset(project, dataset);
    if (found === undefined) throw new Refusal('notFound', `Not found: Dataset ${project}:${dataset}`);
    return found;
  }
  table(project: string, dataset: string, table: string): Table {
    this.dataset(project, dataset);
    const found = this.findTable(project, dataset, table);
    if (found === undefined) throw new Refusal('notFound', `Not found: Table ${project}:${dataset}.${table}`);
    return found;
  }
  routine(project: string, dataset: string, routine: string): Routine {
    this.dataset(project, dataset);
    const found = this.findRoutine(project, dataset, routine);
    if (found === undefined) throw new Refusal('notFound', `Not found: Routine ${project}:${dataset}.${routine}`);
    return found;
  }

  all<K extends Resource['kind']>(kind: K): Extract<Resource, { kind: K }>[] {
    return [...this.resources.values()].filter((resource) => resource.kind === kind) as Extract<Resource, { kind: K }>[];
  }
  /** Everything of one kind in a dataset, by name. */
  list<K extends 'table' | 'routine'>(kind: K, project: string, dataset: string): Extract<Resource, { kind: K }>[] {
    const all: Resource[] = this.all(kind);
    const found = all.filter((resource) => resource.project === project && resource.dataset === dataset).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return found as Extract<Resource, { kind: K }>[];
  }

  /**
   * Writes resources inside the caller's transaction and answers the function that makes them visible here. Call it after the
   * commit; until then every reader sees the old state.
   */
  async put(connection: DuckDBConnection, ...resources: Resource[]): Promise<() => void> {
    for (const resource of resources) {
      const key = keyOf(resource.kind, resource.project, resource.dataset, nameOf(resource));
      await connection.run('DELETE FROM meta.resource WHERE key = $1', [key]);
      await connection.run('INSERT INTO meta.resource VALUES ($1, $2)', [key, JSON.stringify(resource)]);
    }
    return () => {
      for (const resource of resources) this.resources.set(keyOf(resource.kind, resource.project, resource.dataset, nameOf(resource)), resource);
    };
  }

  async remove(connection: DuckDBConnection, ...resources: Resource[]): Promise<() => void> {
    const keys = resources.map((resource) => keyOf(resource.kind, resource.project, resource.dataset, nameOf(resource)));
    for (const key of keys) await connection.run('DELETE FROM meta.resource WHERE key = $1', [key]);
    return () => {
      for (const key of keys) this.resources.delete(key);
    };
  }
}
