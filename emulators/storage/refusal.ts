// What goes wrong, in the shape in which Cloud Storage's JSON API tells it. Every part throws these; server.ts sends them.

export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  readonly reason: string;
  readonly location: string | undefined;
  /** Uploads and downloads are answered in plain text where Google's are. */
  readonly isPlainText: boolean;
  readonly headers: Record<string, string>;

  constructor(status: number, reason: string, message: string, location?: string, { isPlainText = false, headers = {} }: { isPlainText?: boolean; headers?: Record<string, string> } = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.location = location;
    this.isPlainText = isPlainText;
    this.headers = headers;
  }

  /** The body of the answer. */
  toBody(): unknown {
    const locationType = /^[A-Z]/.test(this.location ?? '') ? 'header' : 'parameter';
    const entry = { message: this.message, domain: 'global', reason: this.reason, ...(this.location ? { locationType, location: this.location } : {}) };
    return { error: { code: this.status, message: this.message, errors: [entry] } };
  }
}

export const invalid = (message: string, location?: string): Refusal => new Refusal(400, 'invalid', message, location);
export const required = (parameter: string): Refusal => new Refusal(400, 'required', `Required parameter: ${parameter}`, parameter);
export const noBucket = (): Refusal => new Refusal(404, 'notFound', 'The specified bucket does not exist.');
export const noObject = (bucket: string, name: string): Refusal => new Refusal(404, 'notFound', `No such object: ${bucket}/${name}`);
export const forbidden = (message: string, reason = 'forbidden'): Refusal => new Refusal(403, reason, message);
/** A condition with NotMatch tells the caller that it has the newest already: 304 without a body. */
export const conditionNotMet = (location: string): Refusal =>
  location.endsWith('NotMatch') || location === 'If-None-Match'
    ? new Refusal(304, 'notModified', 'Not Modified', location)
    : new Refusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.', 'If-Match');
/** Told loudly, so that nobody takes silence for support. */
export const unsupported = (what: string): Refusal => new Refusal(501, 'notImplemented', `The local Cloud Storage does not support ${what}.`);

/** Names that a fault plan may give, as gRPC calls them, and what HTTP calls them. */
export const STATUSES: Record<string, [number, string]> = {
  UNAVAILABLE: [503, 'backendError'], INTERNAL: [500, 'internalError'], RESOURCE_EXHAUSTED: [429, 'rateLimitExceeded'],
  DEADLINE_EXCEEDED: [504, 'gatewayTimeout'], PERMISSION_DENIED: [403, 'forbidden'], UNAUTHENTICATED: [401, 'authError'],
  NOT_FOUND: [404, 'notFound'], FAILED_PRECONDITION: [412, 'conditionNotMet'], ABORTED: [409, 'conflict'], INVALID_ARGUMENT: [400, 'invalid'],
};
const REASONS = new Map(Object.values(STATUSES));

export const plannedStatuses: readonly string[] = Object.keys(STATUSES);

/** The failure that a fault plan asked for: a name of a status, or a number. */
export function plannedFailure(status: string | undefined): Refusal {
  const code = Number(status);
  const [number, reason] = STATUSES[status ?? 'UNAVAILABLE'] ?? [code || 503, REASONS.get(code) ?? 'backendError'];
  return new Refusal(number, reason, `A fault was planned here: ${status ?? 'UNAVAILABLE'}.`);
}
