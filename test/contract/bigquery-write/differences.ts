// Where bqemulator 1.4.0 is known to do otherwise than Google's documentation, which each case names as its source: case -> what it does.
import type { ContractCase, Difference } from '../contract.ts';
import type { WriteWorld } from './world.ts';

export const WRITE_DIFFERENCES: Readonly<Record<string, Difference>> = {
  'request-size': { reason: 'its gRPC server refuses messages from 4 MB on as RESOURCE_EXHAUSTED, and is busy for a minute with what is smaller', isSkipped: true },
  'many-connections': { reason: 'it stops answering when several connections append at once', isSkipped: true },
  'offsets-raced': { reason: 'it stops answering when several connections append at once', isSkipped: true },
  'multiplexing': { reason: 'a second stream name over one connection is never answered', isSkipped: true },
  'append-seen-at-once': { reason: 'a later request of a connection must name its stream again' },
  'answers-in-order': { reason: 'a later request of a connection must name its stream again' },
  'row-errors': { reason: 'a later request of a connection must name its stream again' },
  'schema-change-while-streaming': { reason: 'a later request of a connection must name its stream again' },
  'descriptor-changed': { reason: 'a later request of a connection must name its stream again' },
  'committed-visible-at-once': { reason: 'a later request of a connection must name its stream again' },
  'offset-already-exists': { reason: 'a later request of a connection must name its stream again' },
  'offset-after-refused-row': { reason: 'a later request of a connection must name its stream again' },
  'finalized-takes-no-rows': { reason: 'a later request of a connection must name its stream again' },
  'buffered-until-flushed': { reason: 'a later request of a connection must name its stream again' },
  'append-without-offset': { reason: 'the default stream answers with an offset' },
  'required-missing': { reason: 'a row without a REQUIRED value is not refused' },
  'required-missing-inside-records': { reason: 'a row without a value ends the connection' },
  'table-missing': { reason: 'NOT_FOUND comes in other words' },
  'stream-names-checked': { reason: 'what is no name of a stream is NOT_FOUND' },
  'first-request-needs-schema': { reason: 'rows without a descriptor are answered as stored' },
  'extra-fields': { reason: 'a field that the table lacks is not noticed, and nested rows end with UNKNOWN' },
  'write-stream-described': { reason: 'the schema comes with every view' },
  'offset-out-of-range': { reason: 'OUT_OF_RANGE comes without a StorageError' },
  'commit-refusals': { reason: 'stream_errors are other than those of the documentation' },
  'flush-and-finalize-kinds': { reason: 'flushing or finalizing what can not be is NOT_FOUND or done' },
  'streams-of-dropped-table': { reason: 'a stream outlives its table' },
  'stream-tells-its-commit': { reason: 'GetWriteStream tells no time of a commit' },
  'type-datetime-as-int64': { reason: 'packed civil times are not decoded' },
  'type-time-as-int64': { reason: 'packed civil times are not decoded' },
  'type-numeric-as-bytes': { reason: 'NUMERIC as bytes ends with UNKNOWN' },
  'type-numeric-as-int64': { reason: 'NUMERIC as text keeps all nine digits' },
  'type-numeric-as-double': { reason: 'NUMERIC as text keeps all nine digits' },
  'values-refused': { reason: 'a wrong value ends the connection with UNKNOWN' },
  'types-refused': { reason: 'types of descriptors are not compared with those of columns' },
  'modes-refused': { reason: 'modes of descriptors are not compared with those of columns' },
  'nested-rows': { reason: 'nested rows end in an internal error' },
  'names-ignore-case': { reason: 'names match by their case, and the connection is reset' },
};

/** bqemulator stops answering when several connections append at once, so its cases wait for each other. */
export function inTurnWhereNeeded(cases: readonly ContractCase<WriteWorld>[]): ContractCase<WriteWorld>[] {
  let tail: Promise<unknown> = Promise.resolve();
  return cases.map((one) => ({
    ...one, timeoutMs: Math.max(one.timeoutMs ?? 0, 120_000),
    run(world) {
      if (world.launched.implementation !== 'independent') return one.run(world);
      const turn = tail.then(() => one.run(world));
      tail = turn.catch(() => undefined);
      return turn;
    },
  }));
}
