// An integer literal that no JavaScript number can keep, as the client wrote it. Made by the collector's second parse, which
// only runs when a body holds one; found again by `validate`.

export class UnsafeInteger {
  readonly literal: string;
  constructor(literal: string) {
    this.literal = literal;
  }
}
