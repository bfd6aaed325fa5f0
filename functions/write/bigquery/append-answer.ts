// What BigQuery said to an append, as one of six answers: in goes an AppendRows response or a gRPC error, out comes what to do.
// The client's promise resolves on refused rows too, so `error` and `rowErrors` are looked at on every response.
// Classes of codes: google/cloud/bigquery/storage/v1/storage.proto (AppendRowsResponse, StorageError).
import { protos } from '@google-cloud/bigquery-storage';

type AppendRowsResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;
type RpcStatus = protos.google.rpc.IStatus;

export type AppendAnswer =
  | { kind: 'stored' }
  /** No row of this append was stored; these indexes are why. */
  | { kind: 'rows_refused'; reasons: Map<number, string> }
  | { kind: 'table_missing' }
  /** The table lacks a column that this code writes: it waits for `migrate`, nothing is rejected. */
  | { kind: 'columns_missing'; reason: string }
  /** Too many bytes for one append. */
  | { kind: 'too_large'; reason: string }
  /** Worth sending again; `outage` says that the service (and not this table or request) is in trouble. */
  | { kind: 'unavailable'; reason: string; outage: boolean };

/** gRPC status codes: https://grpc.io/docs/guides/status-codes/ */
const CODES = ['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'];
const OUTAGES = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED']);

/** Asked for when there is an error to read: making Google's message classes takes longer than starting the rest of the function. */
const storageErrorType = (): typeof protos.google.cloud.bigquery.storage.v1.StorageError => protos.google.cloud.bigquery.storage.v1.StorageError;
type StorageCodeName = keyof typeof protos.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;

export function answerOfResponse(response: AppendRowsResponse): AppendAnswer {
  if (response.rowErrors !== undefined && response.rowErrors !== null && response.rowErrors.length > 0) {
    return { kind: 'rows_refused', reasons: new Map(response.rowErrors.map((row) => [Number(row.index), row.message ?? 'no reason given'])) };
  }
  if (response.error !== undefined && response.error !== null && (response.error.code ?? 0) !== 0) return answerOfStatus(response.error);
  return { kind: 'stored' };
}

/** A gRPC error of the connection (or of opening it): Node's ServiceError, with Google's details where it had any. */
export function answerOfError(error: unknown): AppendAnswer {
  const { code, message, details, statusDetails } = error as { code?: number; message?: string; details?: string; statusDetails?: unknown };
  const storageError = Array.isArray(statusDetails) ? statusDetails.find((detail) => isStorageError(detail)) : undefined;
  return answerOf(typeof code === 'number' ? code : 2, details ?? message ?? String(error), storageError?.code);
}

function answerOfStatus(status: RpcStatus): AppendAnswer {
  const detail = status.details?.find(({ type_url: url }) => url?.endsWith('/google.cloud.bigquery.storage.v1.StorageError') === true);
  const storageCode = detail?.value instanceof Uint8Array ? storageErrorType().decode(detail.value).code : undefined;
  return answerOf(status.code ?? 2, status.message ?? '', storageCode);
}

function answerOf(code: number, message: string, storageCode: unknown): AppendAnswer {
  const name = CODES[code] ?? `code ${code}`;
  const reason = `${name}: ${message}`;
  if (isStorageCode(storageCode, 'SCHEMA_MISMATCH_EXTRA_FIELDS') || /SCHEMA_MISMATCH_EXTRA_FIELDS|schema mismatch due to extra field/i.test(message)) {
    return { kind: 'columns_missing', reason };
  }
  if (name === 'NOT_FOUND' || isStorageCode(storageCode, 'TABLE_NOT_FOUND')) return { kind: 'table_missing' };
  if (name === 'INVALID_ARGUMENT' && /too (large|big)|exceeds|larger than/i.test(message)) return { kind: 'too_large', reason };
  return { kind: 'unavailable', reason, outage: OUTAGES.has(name) };
}

const isStorageError = (detail: unknown): detail is { code: unknown } =>
  typeof detail === 'object' && detail !== null && 'code' in detail && 'entity' in detail;
/** Decoded messages hold the number, plain JSON the name. */
const isStorageCode = (code: unknown, name: StorageCodeName): boolean => code !== undefined && (code === name || code === storageErrorType().StorageErrorCode[name]);
