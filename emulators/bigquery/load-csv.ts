// CSV in (RFC 4180, with BigQuery's options), rows by the columns of a schema out. Called by load jobs and by schema detection.
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { TableField } from './fields.ts';
import type { Entry } from './load-json.ts';
import { Refusal } from './refusal.ts';

export type CsvOptions = { fieldDelimiter?: string; quote?: string; skipLeadingRows?: number | string; allowQuotedNewlines?: boolean; allowJaggedRows?: boolean; nullMarker?: string; encoding?: string };

/** A cell, and whether it stood in quotes: an empty one is NULL without them and '' with them. */
type Cell = { text: string; isQuoted: boolean };
export type CsvRecord = { cells: Cell[]; position: number; bytes: number; hasNewline: boolean };

const DELIMITERS: Record<string, string> = { tab: '\t', '\\t': '\t' };

/** All records of a file, headers too. */
export async function* csvRecords(input: Readable, options: CsvOptions): AsyncGenerator<CsvRecord> {
  const given = options.fieldDelimiter ?? ',';
  const delimiter = DELIMITERS[given] ?? given;
  const quote = options.quote ?? '"';
  if (delimiter.length !== 1 || quote.length > 1) throw new Refusal('invalid', 'A field delimiter is one character, a quote is one or none.');
  if (!['UTF-8', 'UTF8'].includes((options.encoding ?? 'UTF-8').toUpperCase())) throw new Refusal('notImplemented', `CSV in ${options.encoding} is not implemented in the local BigQuery: use UTF-8.`);
  const decoder = new StringDecoder('utf8');
  let cells: Cell[] = [];
  let text = '';
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  let [position, bytes, hasNewline, isFirst] = [0, 0, false, true];
  const endCell = (): void => {
    cells.push({ text, isQuoted: state === 'closed' });
    text = '';
    state = 'start';
  };
  const endRecord = (): CsvRecord => {
    endCell();
    const record = { cells, position, bytes, hasNewline };
    position += bytes;
    cells = [];
    bytes = 0;
    hasNewline = false;
    return record;
  };
  const isEmpty = (): boolean => cells.length === 0 && text === '' && state === 'start';
  for await (const chunk of input as AsyncIterable<Buffer>) {
    for (const char of isFirst ? decoder.write(chunk).replace(/^\ufeff/, '') : decoder.write(chunk)) {
      bytes += Buffer.byteLength(char);
      if (state === 'quoted') {
        if (char === quote) state = 'closed';
        else {
          text += char;
          if (char === '\n') hasNewline = true;
        }
      } else if (state === 'closed' && char === quote) {
        text += quote;
        state = 'quoted';
      } else if (char === delimiter) endCell();
      else if (char === '\n') {
        if (isEmpty()) {
          position += bytes;
          bytes = 0;
        } else yield endRecord();
      } else if (char === quote && quote !== '' && state === 'start') state = 'quoted';
      else if (char !== '\r') {
        text += char;
        if (state === 'start') state = 'plain';
      }
    }
    isFirst = false;
  }
  if (state === 'quoted') throw new Refusal('invalid', `Error while reading data, error message: CSV table references a quoted section that is not closed; it starts at position ${position}.`);
  if (!isEmpty()) yield endRecord();
}

export async function* readCsv(input: Readable, fields: TableField[], options: CsvOptions, ignoreUnknown: boolean): AsyncGenerator<Entry> {
  const skipped = Number(options.skipLeadingRows ?? 0);
  const nested = fields.find((field) => field.fields !== undefined || field.mode === 'REPEATED');
  if (nested !== undefined) throw new Refusal('invalid', `Error while reading data, error message: CSV processing encountered a nested or repeated field: ${nested.name}`);
  let at = 0;
  for await (const record of csvRecords(input, options)) {
    at += 1;
    if (at <= skipped) continue;
    yield { position: record.position, bytes: record.bytes, ...rowOf(record, fields, options, ignoreUnknown) };
  }
}

function rowOf({ cells, hasNewline }: CsvRecord, fields: TableField[], options: CsvOptions, ignoreUnknown: boolean): { row: unknown } | { problem: string } {
  if (hasNewline && options.allowQuotedNewlines !== true) return { problem: 'A quoted field holds a line break, which needs allowQuotedNewlines.' };
  if (cells.length > fields.length && !ignoreUnknown) return { problem: `Too many values in row. Found ${cells.length} column(s) while expected ${fields.length}.` };
  if (cells.length < fields.length && options.allowJaggedRows !== true) return { problem: `CSV table references column position ${cells.length}, but line contains only ${cells.length} columns.` };
  const value = (cell: Cell | undefined): string | null => (cell === undefined || (!cell.isQuoted && cell.text === (options.nullMarker ?? '')) ? null : cell.text);
  return { row: Object.fromEntries(fields.map((field, at) => [field.name, value(cells[at])])) };
}
