// HLL_COUNT.…: calls in, DuckDB SQL out. A sketch here is the sorted distinct 64-bit hashes of its values, so that its counts are exact, which
// the approximate ones may be; its bytes are not Google's. Looked up with the aggregates and by the call compiler.
import { noSignature } from '../coerce.ts';
import { BYTES, INT64 } from '../sql-type.ts';
import type { Typed } from '../scope.ts';
import type { AggregateParts } from './aggregates.ts';
import { argumentExpr, simple } from './signature.ts';
import type { FunctionCall, FunctionTable } from './signature.ts';

const HASH_HEX_DIGITS = 16;
const hashesIn = (sketch: string): string => `regexp_extract_all(hex(${sketch}), '.{${HASH_HEX_DIGITS}}')`;
const sketchOf = (hashes: string): string => `CASE WHEN ${hashes} IS NOT NULL THEN unhex(array_to_string(list_sort(list_distinct(${hashes})), '')) END`;

function first(call: FunctionCall, kinds: string[]): Typed {
  const value = call.compile(argumentExpr(call, 0));
  if (!kinds.includes(value.type.kind)) throw noSignature(`aggregate function ${call.name}`, [value], call.expr.place);
  return value;
}

/** All hashes of many sketches as one list; NULL where there is no sketch. */
const merged = (call: FunctionCall): string => `list(${hashesIn(first(call, ['BYTES']).sql)})`;

export const SKETCH_AGGREGATES: Record<string, (call: FunctionCall) => AggregateParts> = {
  'HLL_COUNT.INIT': (call) => {
    const { sql } = first(call, ['INT64', 'NUMERIC', 'STRING', 'BYTES']);
    return { call: `list(DISTINCT lpad(to_hex(hash(${sql})), ${HASH_HEX_DIGITS}, '0'))`, filter: `${sql} IS NOT NULL`, finish: sketchOf, type: BYTES };
  },
  'HLL_COUNT.MERGE': (call) => ({ call: merged(call), finish: (sql) => `coalesce(len(list_distinct(flatten(${sql}))), 0)`, type: INT64 }),
  'HLL_COUNT.MERGE_PARTIAL': (call) => ({ call: merged(call), finish: (sql) => sketchOf(`flatten(${sql})`), type: BYTES }),
};

export const SKETCH_FUNCTIONS: FunctionTable = {
  'HLL_COUNT.EXTRACT': simple('BYTES', INT64, (a) => `coalesce(octet_length(${a}) // ${HASH_HEX_DIGITS / 2}, 0)`),
};
