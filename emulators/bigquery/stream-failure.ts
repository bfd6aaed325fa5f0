// A failure that ends a call or a stream of the Storage Write API with a gRPC status, as opposed to an `error` in a response.
export class StreamFailure extends Error {
  override name = 'StreamFailure';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
