// An error as BigQuery words it, with the place in the query; thrown by every stage of the translation, answered by the local BigQuery as it is.

export type ErrorReason = 'invalidQuery' | 'notFound' | 'notImplemented';

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
