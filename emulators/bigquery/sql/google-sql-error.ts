// An error as BigQuery words it, with the place in the query; thrown by every stage of the translation, answered by the local BigQuery as it is.

export type ErrorReason = 'invalidQuery' | 'notFound' | 'notImplemented' | 'resourcesExceeded';

export class GoogleSqlError extends Error {
  readonly reason: ErrorReason;
  readonly location = 'query';

  constructor(reason: ErrorReason, message: string) {
    super(message);
    this.name = 'GoogleSqlError';
    this.reason = reason;
  }
}

/** Where a token stands: counted from 1, as BigQuery counts. */
export type Place = { line: number; column: number };

export function invalidQuery(message: string, place: Place): GoogleSqlError {
  return new GoogleSqlError('invalidQuery', `${message} at [${place.line}:${place.column}]`);
}

/** A construct of GoogleSQL that real BigQuery knows and this translation does not: naming it beats answering wrongly. */
export function notSupported(construct: string, place: Place): GoogleSqlError {
  return new GoogleSqlError('notImplemented', `${construct} is not supported by the local BigQuery at [${place.line}:${place.column}]`);
}

/** DuckDB's words for what went wrong while a translated query ran, as BigQuery says it where that is known. */
export function fromDuckError(message: string): GoogleSqlError {
  const unbound = unboundConstruct(message);
  if (unbound) return new GoogleSqlError('notImplemented', `${unbound} is not supported by the local BigQuery`);
  if (message.startsWith('Out of Memory Error')) return new GoogleSqlError('resourcesExceeded', 'Resources exceeded during query execution: The query could not be executed in the allotted memory.');
  const [first = message] = message.split('\n');
  const plain = first.replace(/^(?:[A-Za-z]+ )+(?:Error|Exception): /, '');
  const ours = /(Bad (?:int64|bool) value: [^'"]*)/.exec(plain)?.[1];
  if (ours) return new GoogleSqlError('invalidQuery', ours);
  const cast = /Could not convert string ['"](.*)['"] to (INT64|DOUBLE|BOOL)\b/.exec(plain);
  const kind = ({ INT64: 'int64', DOUBLE: 'double', BOOL: 'bool' } as Record<string, string>)[cast?.[2] ?? ''];
  if (cast && kind) return new GoogleSqlError('invalidQuery', `Bad ${kind} value: ${cast[1]}`);
  if (plain.startsWith('More than one row returned by a subquery')) return new GoogleSqlError('invalidQuery', 'Scalar subquery produced more than one element');
  const overflow = /^Overflow in (?:addition|subtraction|multiplication) of INT64 \((.*)\)!/.exec(plain);
  if (overflow) return new GoogleSqlError('invalidQuery', `int64 overflow: ${overflow[1]}`);
  if (/^Type INT128 with value .* can't be cast .* INT64/.test(plain)) return new GoogleSqlError('invalidQuery', 'int64 overflow');
  const date = /invalid (date|timestamp) field format: "(.*?)"/.exec(plain);
  if (date) return new GoogleSqlError('invalidQuery', `Invalid ${date[1]}: '${date[2]}'`);
  return new GoogleSqlError('invalidQuery', plain);
}

/** Names and types were settled before, so what DuckDB can't bind is a construct that it has no plan for, not the query's mistake. */
function unboundConstruct(message: string): string | undefined {
  if (/^Binder Error: Referenced (?:table|column) /.test(message)) return 'A reference to a row of an outer query inside a window or a join';
  if (/^Binder Error: Duplicate struct entry name/.test(message)) return 'A STRUCT with two fields of one name';
  return /^(?:Binder|INTERNAL|Not implemented) Error: /.test(message) ? 'This combination of constructs' : undefined;
}
