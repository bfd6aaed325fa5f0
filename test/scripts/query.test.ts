// What `npm run query` prints: values by their types, tables for terminals, CSV that no spreadsheet runs, errors with their place.
import { describe, expect, it } from 'vitest';
import { readParameter, type Field } from '../../scripts/query/ask.ts';
import { cellOf } from '../../scripts/query/cells.ts';
import { explainError } from '../../scripts/query/explain-error.ts';
import { asCsv, asJson, asTable } from '../../scripts/query/formats.ts';

const field = (type: string, more: Partial<Field> = {}): Field => ({ name: 'x', type, ...more });

describe('cellOf', () => {
  it.each([
    ['INTEGER', '42', 42], ['INTEGER', '9223372036854775807', '9223372036854775807'], ['FLOAT', '0.5', 0.5], ['FLOAT', 'NaN', 'NaN'], ['BOOLEAN', 'true', true], ['STRING', '007', '007'], ['STRING', null, null],
    ['TIMESTAMP', '1767225599123456', '2025-12-31 23:59:59.123456 UTC'], ['TIMESTAMP', '1767225600000000', '2026-01-01 00:00:00 UTC'], ['TIMESTAMP', '-1', '1969-12-31 23:59:59.999999 UTC'], ['DATE', '2026-01-15', '2026-01-15'],
  ])('reads %s %j', (type, raw, value) => expect(cellOf(field(type), raw)).toBe(value));

  it('reads repeated records as lists of objects, and a missing list as an empty one', () => {
    const params = field('RECORD', { mode: 'REPEATED', fields: [{ name: 'key', type: 'STRING' }, { name: 'n', type: 'INTEGER' }] });
    expect(cellOf(params, [{ v: { f: [{ v: 'a' }, { v: '1' }] } }, { v: { f: [{ v: 'b' }, { v: null }] } }])).toEqual([{ key: 'a', n: 1 }, { key: 'b', n: null }]);
    expect(cellOf(params, null)).toEqual([]);
  });
});

describe('formats', () => {
  const fields: Field[] = [{ name: 'name', type: 'STRING' }, { name: 'n', type: 'INTEGER' }, { name: 'more', type: 'RECORD', mode: 'REPEATED' }];

  it('aligns texts to the left and numbers to the right, wide characters included', () => {
    expect(asTable(fields, [{ name: '머그컵', n: 5, more: [] }, { name: 'pen', n: 1200, more: [{ a: 1 }] }])).toBe([
      'name       n  more', '------  ----  ---------', '머그컵     5  []', 'pen     1200  [{"a":1}]'].join('\n'));
  });

  it('shows NULL, cuts long cells, and lets no control character reach the terminal', () => {
    const text = asTable([fields[0]!], [{ name: null }, { name: 'x'.repeat(80) }, { name: 'a\u001b[31mred\nb\u202e' }], 20);
    expect(text.split('\n').slice(2)).toEqual(['NULL', `${'x'.repeat(19)}…`, 'a\\u001b[31mred\\nb\\u…']);
  });

  it('writes CSV that a spreadsheet takes for text, and leaves negative numbers alone', () => {
    const rows = [{ name: '=cmd()', n: -5, more: [{ a: 'x,"y' }] }, { name: 'a,"b"\nc', n: null, more: [] }];
    expect(asCsv(fields, rows)).toBe('name,n,more\r\n\'=cmd(),-5,"[{""a"":""x,\\""y""}]"\r\n"a,""b""\nc",,[]');
    for (const start of ['+', '-', '@', '\t']) expect(asCsv([fields[0]!], [{ name: `${start}1` }])).toContain(`'${start}1`);
  });

  it('writes JSON that is read back the same', () => {
    const rows = [{ name: 'a', n: 1, more: [{ a: [1, null] }] }];
    expect(JSON.parse(asJson(fields, rows))).toEqual(rows);
    expect(JSON.parse(asJson(fields, []))).toEqual([]);
  });
});

describe('explainError', () => {
  it('shows the line of the query with a mark under the place', () => {
    const error = Object.assign(new Error('x'), { errors: [{ reason: 'invalidQuery', message: 'Unrecognized name: evnt at [2:8]' }] });
    expect(explainError(error, 'SELECT 1;\nSELECT evnt')).toBe('invalidQuery: Unrecognized name: evnt at [2:8]\n  2 | SELECT evnt\n             ^');
  });
  it('tells of a stopped BigQuery in plain words', () => {
    expect(explainError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 'x')).toMatch(/npm start/);
  });
});

describe('readParameter', () => {
  it.each([
    ['n=5', 'INT64', '5'], ['x=1.5', 'FLOAT64', '1.5'], ['b=true', 'BOOL', 'true'], ['s=a=b', 'STRING', 'a=b'], ['day:date=2026-01-15', 'DATE', '2026-01-15'], ['zip:STRING=01234', 'STRING', '01234'],
  ])('%s', (text, type, value) => expect(readParameter(text)).toMatchObject({ type, value }));
  it('refuses what has no name', () => expect(readParameter('=5')).toBeUndefined());
});
