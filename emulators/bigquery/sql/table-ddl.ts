// A table, a view or a dataset of the catalogue in, the statement that would make it again out; shown in INFORMATION_SCHEMA.
import type { DatasetEntry, TableEntry, TableField } from './context.ts';
import { typeName, typeOfField } from './sql-type.ts';

export function tableDdl(entry: TableEntry): string {
  const name = `\`${entry.project}.${entry.dataset}.${entry.table}\``;
  if (entry.type === 'VIEW') return `CREATE VIEW ${name}\nAS ${entry.viewQuery ?? ''};`;
  const lines = [`CREATE TABLE ${name}`, `(\n${entry.fields.map((field) => `  ${columnDdl(field)}`).join(',\n')}\n)`];
  const { timePartitioning, clustering } = entry;
  if (timePartitioning?.field !== undefined) lines.push(`PARTITION BY ${partitionDdl(entry, timePartitioning.field, timePartitioning.type)}`);
  if (clustering && clustering.length > 0) lines.push(`CLUSTER BY ${clustering.join(', ')}`);
  const description = entry.properties?.['description'];
  if (typeof description === 'string') lines.push(`OPTIONS(\n  description=${JSON.stringify(description)}\n)`);
  return `${lines.join('\n')};`;
}

function columnDdl(field: TableField): string {
  const options = field.description === undefined ? '' : ` OPTIONS(description=${JSON.stringify(field.description)})`;
  return `${field.name} ${typeName(typeOfField(field))}${field.mode === 'REQUIRED' ? ' NOT NULL' : ''}${options}`;
}

function partitionDdl(entry: TableEntry, column: string, unit: string): string {
  const field = entry.fields.find(({ name }) => name.toLowerCase() === column.toLowerCase());
  const kind = field ? typeOfField(field).kind : 'DATE';
  if (kind === 'DATE') return unit === 'DAY' ? column : `DATE_TRUNC(${column}, ${unit})`;
  return unit === 'DAY' ? `DATE(${column})` : `${kind}_TRUNC(${column}, ${unit})`;
}

export function datasetDdl(entry: DatasetEntry): string {
  return `CREATE SCHEMA \`${entry.project}.${entry.dataset}\`\nOPTIONS(\n  location="US"\n);`;
}
