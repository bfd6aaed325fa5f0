// How a call is refused: a gRPC status and Google's sentence. Thrown by whatever checks a request, answered by calls.ts.
import { status } from '@grpc/grpc-js';

export type StatusName = keyof typeof status;

/** As google.rpc.ErrorInfo. */
export type ErrorInfo = { reason: string; domain: string; metadata: Record<string, string> };

export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: number;
  /** Says what was wrong in a form that Google's clients read. */
  readonly info: ErrorInfo | undefined;
  constructor(code: StatusName, message: string, info?: ErrorInfo) {
    super(message);
    this.code = status[code];
    this.info = info;
  }
}

export const invalid = (message: string): Refusal => new Refusal('INVALID_ARGUMENT', message);
export const notFound = (resource: string): Refusal => new Refusal('NOT_FOUND', `Resource not found (resource=${resource.split('/').at(-1)}).`);
export const alreadyExists = (resource: string): Refusal => new Refusal('ALREADY_EXISTS', `Resource already exists in the project (resource=${resource.split('/').at(-1)}).`);
/** What Google has and this one has not: said plainly, so that nobody takes silence for support. */
export const unsupported = (what: string): Refusal => new Refusal('UNIMPLEMENTED', `The local Pub/Sub does not support ${what}.`);

/** A fault plan's status by name; an unknown name is UNKNOWN. */
export function refusalByName(name: string): Refusal {
  return new Refusal(name in status ? (name as StatusName) : 'UNKNOWN', `A fault plan asked for ${name}.`);
}
