// Rows -> text for a terminal, a program or a spreadsheet. scripts/query.ts prints what these return.
import type { Field } from './ask.ts';
import type { Cell } from './cells.ts';

export type Row = { [name: string]: Cell };

export const FORMATS = { table: asTable, json: asJson, csv: asCsv };
export type Format = keyof typeof FORMATS;

/** Rows under each other in columns; numbers to the right, records and lists as JSON, long cells cut. */
export function asTable(fields: readonly Field[], rows: readonly Row[], cellWidthMax = 60): string {
  const cells = rows.map((row) => fields.map(({ name }) => cut(shown(row[name]!), cellWidthMax)));
  const widths = fields.map(({ name }, column) => Math.max(widthOf(name), ...cells.map((line) => widthOf(line[column]!))));
  const isNumber = fields.map(({ type, mode }) => mode !== 'REPEATED' && /^(INTEGER|INT64|FLOAT|FLOAT64|NUMERIC|BIGNUMERIC)$/.test(type));
  const line = (texts: readonly string[]): string => texts.map((text, column) => {
    const space = ' '.repeat(widths[column]! - widthOf(text));
    return isNumber[column] ? space + text : text + space;
  }).join('  ').trimEnd();
  return [line(fields.map(({ name }) => name)), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)].join('\n');
}

export function asJson(_fields: readonly Field[], rows: readonly Row[]): string {
  return rows.length === 0 ? '[]' : `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n')}\n]`;
}

export function asCsv(fields: readonly Field[], rows: readonly Row[]): string {
  return [fields.map(({ name }) => quoted(guarded(name))), ...rows.map((row) => fields.map(({ name }) => quoted(csvText(row[name]!))))].map((line) => line.join(',')).join('\r\n');
}

function csvText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return guarded(cell);
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** Texts come from phones: a spreadsheet must not run one as a formula. */
const guarded = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function shown(cell: Cell): string {
  const text = cell === null ? 'NULL' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  // Control characters would move the cursor or colour the terminal; they too come from phones.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (char) => (char === '\n' ? '\\n' : char === '\t' ? '\\t' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

function cut(text: string, widthMax: number): string {
  if (widthOf(text) <= widthMax) return text;
  let kept = '';
  let width = 0;
  for (const char of text) {
    width += widthOf(char);
    if (width > widthMax - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

/** Columns that a terminal uses: East Asian wide characters and emoji take two, combining marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(char)) continue;
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(char) ? 2 : 1;
  }
  return width;
}
