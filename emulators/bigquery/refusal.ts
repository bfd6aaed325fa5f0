// Google's errors: thrown anywhere in the local BigQuery, turned into {error:{code,message,errors,status}} by the HTTP door and into errorResult by jobs.

/** Reasons as in cloud.google.com/bigquery/docs/error-messages, with the HTTP code and the status name that go with each. */
const REASONS = {
  jobBackendError: { code: 400, status: 'FAILED_PRECONDITION' },
  jobInternalError: { code: 400, status: 'FAILED_PRECONDITION' },
  jobRateLimitExceeded: { code: 400, status: 'FAILED_PRECONDITION' },
  resourcesExceeded: { code: 400, status: 'FAILED_PRECONDITION' },
  responseTooLarge: { code: 403, status: 'FAILED_PRECONDITION' },
  tableUnavailable: { code: 400, status: 'FAILED_PRECONDITION' },
  timeout: { code: 400, status: 'FAILED_PRECONDITION' },
  invalid: { code: 400, status: 'INVALID_ARGUMENT' },
  invalidQuery: { code: 400, status: 'INVALID_ARGUMENT' },
  required: { code: 400, status: 'INVALID_ARGUMENT' },
  resourceInUse: { code: 400, status: 'FAILED_PRECONDITION' },
  stopped: { code: 200, status: 'CANCELLED' },
  accessDenied: { code: 403, status: 'PERMISSION_DENIED' },
  rateLimitExceeded: { code: 403, status: 'RESOURCE_EXHAUSTED' },
  quotaExceeded: { code: 403, status: 'RESOURCE_EXHAUSTED' },
  notFound: { code: 404, status: 'NOT_FOUND' },
  duplicate: { code: 409, status: 'ALREADY_EXISTS' },
  conditionNotMet: { code: 412, status: 'FAILED_PRECONDITION' },
  internalError: { code: 500, status: 'INTERNAL' },
  notImplemented: { code: 501, status: 'UNIMPLEMENTED' },
  backendError: { code: 503, status: 'UNAVAILABLE' },
} as const;
export type Reason = keyof typeof REASONS;

/** One entry of `errors`, `errorResult` or `insertErrors`. */
export type ErrorProto = { reason: string; message: string; location?: string };

export class Refusal extends Error {
  override name = 'Refusal';
  readonly reason: Reason;
  readonly location: string | undefined;

  constructor(reason: Reason, message: string, location?: string) {
    super(message);
    this.reason = reason;
    this.location = location;
  }

  get httpCode(): number {
    return REASONS[this.reason].code;
  }

  get proto(): ErrorProto {
    return { reason: this.reason, message: this.message, ...(this.location === undefined ? {} : { location: this.location }) };
  }
}

/** Whatever was thrown, as a refusal: SQL errors carry their own reason, DuckDB's runtime errors are errors of the query. */
export function refusalOf(error: unknown, otherwise: Reason = 'internalError'): Refusal {
  if (error instanceof Refusal) return error;
  const { reason, location, message } = error as { reason?: string; location?: string; message?: string };
  if (reason !== undefined && reason in REASONS) return new Refusal(reason as Reason, message ?? String(error), location);
  return new Refusal(otherwise, message ?? String(error));
}

/** The body of an HTTP answer. */
export function errorBody(refusal: Refusal): object {
  const { code, status } = REASONS[refusal.reason];
  const place = refusal.location === undefined ? {} : { location: refusal.location, locationType: refusal.location === 'query' ? 'other' : 'parameter' };
  return { error: { code, message: refusal.message, errors: [{ message: refusal.message, domain: 'global', reason: refusal.reason, ...place }], status } };
}

/** What a fault plan may give as its `status`. */
export const plannedStatuses: readonly string[] = [...Object.keys(REASONS), ...new Set(Object.values(REASONS).flatMap(({ code, status }) => [status, String(code)]))].filter((name) => name !== '200' && name !== 'CANCELLED');

/** A fault plan's `status`: a gRPC status name, a number, or a reason of BigQuery. */
export function refusalOfFault(status = 'UNAVAILABLE'): Refusal {
  if (status in REASONS) return new Refusal(status as Reason, `A fault asked for ${status}.`);
  const found = Object.entries(REASONS).findLast(([, spec]) => spec.status === status || String(spec.code) === status);
  return new Refusal((found?.[0] ?? 'backendError') as Reason, `A fault asked for ${status}.`);
}
