// A growing buffer for lines of text that are made byte by byte. proto-row.ts builds on it.
export class LineBuffer {
  protected out = Buffer.allocUnsafe(1 << 16);
  protected length = 0;

  /** What was written since the last take. */
  take(): Buffer {
    const lines = this.out.subarray(0, this.length);
    this.out = Buffer.allocUnsafe(Math.max(1 << 16, this.length));
    this.length = 0;
    return lines;
  }

  protected reserve(bytes: number): void {
    if (this.length + bytes <= this.out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.out.length * 2, this.length + bytes));
    this.out.copy(larger, 0, 0, this.length);
    this.out = larger;
  }
  protected byte(value: number): void {
    if (this.length === this.out.length) this.reserve(1);
    this.out[this.length++] = value;
  }
  protected bytes(value: Buffer): void {
    this.reserve(value.length);
    const { out } = this;
    let to = this.length;
    for (let i = 0; i < value.length; i += 1) out[to++] = value[i]!;
    this.length = to;
  }
  protected ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i += 1) this.out[this.length + i] = text.charCodeAt(i);
    this.length += text.length;
  }
  protected utf8(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.out.write(text, this.length);
  }
}
