// What goes wrong, in the shape in which Cloud Storage's JSON API tells it. Every part throws these; server.ts sends them.

export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  readonly reason: string;
  readonly location: string | undefined;

  constructor(status: number, reason: string, message: string, location?: string) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.location = location;
  }

  /** The body of the answer. */
  toBody(): unknown {
    const entry = { message: this.message, domain: 'global', reason: this.reason, ...(this.location ? { locationType: 'parameter', location: this.location } : {}) };
    return { error: { code: this.status, message: this.message, errors: [entry] } };
  }
}

export const invalid = (message: string, location?: string): Refusal => new Refusal(400, 'invalid', message, location);
export const noBucket = (bucket: string): Refusal => new Refusal(404, 'notFound', `The specified bucket does not exist: ${bucket}.`);
export const noObject = (bucket: string, name: string): Refusal => new Refusal(404, 'notFound', `No such object: ${bucket}/${name}`);
export const conditionNotMet = (parameter: string): Refusal =>
  new Refusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.', parameter);
/** Told loudly, so that nobody takes silence for support. */
export const unsupported = (what: string): Refusal => new Refusal(501, 'notImplemented', `The local Cloud Storage does not support ${what}.`);

/** Names that a fault plan may give, as gRPC calls them, and what HTTP calls them. */
const STATUSES: Record<string, [number, string]> = {
  UNAVAILABLE: [503, 'backendError'], INTERNAL: [500, 'internalError'], RESOURCE_EXHAUSTED: [429, 'rateLimitExceeded'],
  DEADLINE_EXCEEDED: [504, 'gatewayTimeout'], PERMISSION_DENIED: [403, 'forbidden'], UNAUTHENTICATED: [401, 'authError'],
  NOT_FOUND: [404, 'notFound'], FAILED_PRECONDITION: [412, 'conditionNotMet'], ABORTED: [409, 'conflict'], INVALID_ARGUMENT: [400, 'invalid'],
};

/** The failure that a fault plan asked for: a name of a status, or a number. */
export function plannedFailure(status: string | undefined): Refusal {
  const [code, reason] = STATUSES[status ?? 'UNAVAILABLE'] ?? [Number(status) || 503, 'backendError'];
  return new Refusal(code, reason, `A fault was planned here: ${status ?? 'UNAVAILABLE'}.`);
}
