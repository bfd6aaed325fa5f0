// All tables of cases, by name; read by the test of the local BigQuery and by the one that asks Google's reference evaluator the same.
import { AGGREGATES, AGGREGATES_REFUSED } from './functions-aggregates.cases.ts';
import { ARRAYS, ARRAYS_REFUSED } from './functions-arrays.cases.ts';
import { CAST_ELEMENTS, CAST_ELEMENTS_REFUSED } from './functions-cast-elements.cases.ts';
import { CAST_FORMATS, CAST_FORMATS_REFUSED } from './functions-cast-formats.cases.ts';
import { DATE_FORMATS, DATE_FORMATS_REFUSED } from './functions-date-formats.cases.ts';
import { DATES, DATES_REFUSED } from './functions-dates.cases.ts';
import { GROUPS, GROUPS_REFUSED } from './functions-groups.cases.ts';
import { JSON_TEXT, JSON_TEXT_REFUSED } from './functions-json.cases.ts';
import { NET } from './functions-net.cases.ts';
import { NUMBERS_1, NUMBERS_REFUSED } from './functions-numbers-1.cases.ts';
import { NUMBERS_2 } from './functions-numbers-2.cases.ts';
import { REGEXPS, REGEXPS_REFUSED } from './functions-regexps.cases.ts';
import { TEXT_1, TEXT_REFUSED } from './functions-text-1.cases.ts';
import { TEXT_2 } from './functions-text-2.cases.ts';
import { TIMESTAMPS, TIMESTAMPS_REFUSED } from './functions-timestamps.cases.ts';
import type { Case } from './wire.ts';

export const CASES: [what: string, cases: Case[]][] = [
  ['aggregates', AGGREGATES],
  ['arrays', ARRAYS],
  ['cast elements', CAST_ELEMENTS],
  ['cast formats', CAST_FORMATS],
  ['date formats', DATE_FORMATS],
  ['dates', DATES],
  ['groups', GROUPS],
  ['json text', JSON_TEXT],
  ['net', NET],
  ['numbers 1', NUMBERS_1],
  ['numbers 2', NUMBERS_2],
  ['regexps', REGEXPS],
  ['text 1', TEXT_1],
  ['text 2', TEXT_2],
  ['timestamps', TIMESTAMPS],
];

export const REFUSED: [what: string, refused: string[]][] = [
  ['aggregates', AGGREGATES_REFUSED],
  ['arrays', ARRAYS_REFUSED],
  ['cast elements', CAST_ELEMENTS_REFUSED],
  ['cast formats', CAST_FORMATS_REFUSED],
  ['date formats', DATE_FORMATS_REFUSED],
  ['dates', DATES_REFUSED],
  ['groups', GROUPS_REFUSED],
  ['json text', JSON_TEXT_REFUSED],
  ['numbers', NUMBERS_REFUSED],
  ['regexps', REGEXPS_REFUSED],
  ['text', TEXT_REFUSED],
  ['timestamps', TIMESTAMPS_REFUSED],
];
