// Pieces of GoogleSQL text: in go names and values of ours, out come quoted names and literals. Called by the statements beside it.

/** Where the tables are. */
export type DatasetPath = { project: string; dataset: string };

/** A back-quoted full path. Names come from settings and from the catalogue, never from a client; a back quote in one is a bug. */
export function path({ project, dataset }: DatasetPath, name: string): string {
  const full = `${project}.${dataset}.${name}`;
  if (/[`\\\n]/.test(full)) throw new Error(`${JSON.stringify(full)} cannot be a table path`);
  return `\`${full}\``;
}

export function column(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`${JSON.stringify(name)} cannot be a column`);
  return `\`${name}\``;
}

export function stringLiteral(value: string): string {
  const escaped = value.replace(/[\\']/g, '\\$&').replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
  return `'${escaped}'`;
}

/** YYYYMMDD as a DATE. A literal, not a function of one: partitions are left out by it for certain. */
export const dateLiteral = (date: string): string => `DATE '${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}'`;

export function integerLiteral(value: number | null): string {
  if (value === null) return 'CAST(NULL AS INT64)';
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not an integer that can be kept exactly`);
  return String(value);
}

export const list = (parts: readonly string[], indent = '  '): string => parts.join(`,\n${indent}`);
