// One serialized protobuf row in, one line of JSON out, byte by byte and without objects in between: an append of a thousand rows costs
// milliseconds. A row that breaks a rule of its table throws a RowProblem. Called by append-rows.ts with the plan of proto-descriptor.ts.
import { isUtf8 } from 'node:buffer';
import { bytesText, microsToken } from './json-row.ts';
import { LineBuffer } from './line-buffer.ts';
import type { FieldPlan, MessagePlan } from './proto-descriptor.ts';
import { regroup } from './proto-regroup.ts';
import { civilText, jsonToken, numericText, scalarOrProblem } from './proto-values.ts';
import { RowProblem } from './row-problem.ts';

/** A field came twice, or a list in pieces: protobuf allows it, no encoder of ours does it, so it takes the slow way. */
class OutOfOrder extends Error {}

const COMMA = 44, COLON_OPEN = 123, CLOSE = 125, LIST = 91, LIST_END = 93, QUOTE = 34, BACKSLASH = 92, NEWLINE = 10;
const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;
const WIRE: Record<string, number> = {
  DOUBLE: FIXED64, FIXED64, SFIXED64: FIXED64, FLOAT: FIXED32, FIXED32, SFIXED32: FIXED32, STRING: BYTES, BYTES, MESSAGE: BYTES,
};

export class RowWriter extends LineBuffer {
  private input: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;

  /** Appends the row and a line break to what was written; after a throw the row leaves nothing behind. */
  write(plan: MessagePlan, row: Buffer): void {
    const before = this.length;
    try {
      this.message(plan, row);
    } catch (error) {
      this.length = before;
      if (!(error instanceof OutOfOrder)) throw error instanceof RangeError ? new RowProblem('The row is not a valid protobuf message.') : error;
      this.message(plan, regroup(plan, row));
    }
    this.byte(NEWLINE);
  }

  private message(plan: MessagePlan, row: Buffer): void {
    this.input = row;
    this.view = new DataView(row.buffer, row.byteOffset, row.byteLength);
    this.at = 0;
    this.fields(plan, row.length);
  }

  private fields(plan: MessagePlan, end: number): void {
    const generation = (plan.generation = (plan.generation + 1) >>> 0);
    const { seen } = plan;
    let isFirst = true;
    this.byte(COLON_OPEN);
    while (this.at < end) {
      const tag = this.uint32();
      const field = plan.byNumber.get(tag >>> 3);
      if (field === undefined) {
        this.skip(tag & 7);
        continue;
      }
      if (seen[field.index] === generation) throw new OutOfOrder();
      seen[field.index] = generation;
      if (!isFirst) this.byte(COMMA);
      isFirst = false;
      this.bytes(field.key);
      if (field.repeated) this.list(field, tag, end);
      else this.value(field, tag & 7);
    }
    if (this.at !== end) throw new RangeError('past the end');
    for (const list of plan.lists) {
      if (list.index !== -1 && seen[list.index] === generation) continue;
      if (!isFirst) this.byte(COMMA);
      isFirst = false;
      this.bytes(list.text);
    }
    for (const { index, path } of plan.required) if (seen[index] !== generation) throw new RowProblem(`Field ${path} is required but was not provided.`);
    this.byte(CLOSE);
  }

  /** Elements one after another under the same tag, or packed into one field. */
  private list(field: FieldPlan, tag: number, end: number): void {
    this.byte(LIST);
    if ((tag & 7) === BYTES && WIRE[field.proto] !== BYTES) {
      const stop = this.uint32() + this.at;
      for (let isFirst = true; this.at < stop; isFirst = false) {
        if (!isFirst) this.byte(COMMA);
        this.value(field, WIRE[field.proto] ?? VARINT);
      }
    } else {
      for (;;) {
        this.value(field, tag & 7);
        const back = this.at;
        if (back >= end) break;
        if (this.uint32() !== tag) {
          this.at = back;
          break;
        }
        this.byte(COMMA);
      }
    }
    this.byte(LIST_END);
  }

  private value(field: FieldPlan, wire: number): void {
    if (wire !== (WIRE[field.proto] ?? VARINT)) throw new RowProblem(`Field ${field.path} has the wrong wire type for ${field.proto.toLowerCase()}.`);
    if (field.nested !== undefined) {
      const end = this.uint32() + this.at;
      if (end > this.input.length) throw new RangeError('past the end');
      this.fields(field.nested, end);
      return;
    }
    switch (field.column) {
      case 'STRING':
        if (field.proto === 'ENUM') this.enumName(field);
        else this.string(field);
        return;
      case 'INTEGER':
        this.integer(field.proto);
        return;
      case 'FLOAT':
        this.float(field.proto === 'DOUBLE' ? this.double() : this.single());
        return;
      case 'BOOLEAN':
        this.ascii(this.int64() === 0n ? 'false' : 'true');
        return;
      default:
        this.ascii(this.rare(field));
    }
  }

  /** Types that GA4's columns do not have; exactness counts here, not speed. */
  private rare(field: FieldPlan): string {
    const { column, proto, path } = field;
    const wrong = (): RowProblem => new RowProblem(`Invalid ${column} value in field ${path}.`);
    if (proto === 'BYTES' || (proto === 'STRING' && column === 'BYTES')) {
      const bytes = this.chunk();
      return column === 'NUMERIC' ? JSON.stringify(numericText(bytes)) : bytesText(bytes);
    }
    if (proto === 'STRING') {
      const bytes = this.chunk();
      if (!isUtf8(bytes)) throw wrong();
      return column === 'JSON' ? jsonToken(bytes.toString('utf8'), wrong) : scalarOrProblem(column, bytes.toString('utf8'), path);
    }
    if (proto === 'DOUBLE' || proto === 'FLOAT') return scalarOrProblem(column, proto === 'DOUBLE' ? this.double() : this.single(), path);
    const value = this.signed(proto);
    if (column === 'TIMESTAMP') return microsToken(value, wrong);
    if (column === 'DATE') return microsToken(value * 86_400_000_000n, wrong).slice(0, 11) + '"';
    if (column === 'TIME' || column === 'DATETIME') return scalarOrProblem(column, civilText(column, value), path);
    return JSON.stringify(String(value));
  }

  private enumName(field: FieldPlan): void {
    const number = Number(BigInt.asIntN(32, this.int64()));
    const name = field.enumNames?.get(number);
    if (name === undefined) throw new RowProblem(`Field ${field.path} has the unknown enum value ${number}.`);
    this.ascii(JSON.stringify(name));
  }

  private string(field: FieldPlan): void {
    const size = this.uint32();
    const { input, at } = this;
    const end = at + size;
    if (end > input.length) throw new RangeError('past the end');
    let isPlain = true;
    let isAscii = true;
    this.reserve(size + 2);
    const { out } = this;
    // Copied while it is looked at: most strings are short, and a call to Buffer.copy costs more than their bytes.
    let to = this.length;
    out[to++] = QUOTE;
    for (let i = at; i < end; i += 1) {
      const byte = input[i]!;
      out[to++] = byte;
      if (byte > 127) isAscii = false;
      else if (byte < 32 || byte === QUOTE || byte === BACKSLASH) isPlain = false;
    }
    if (!isAscii && !isUtf8(input.subarray(at, end))) throw new RowProblem(`Field ${field.path} is not valid UTF-8.`);
    this.at = end;
    if (!isPlain) {
      this.utf8(JSON.stringify(input.toString('utf8', at, end)));
      return;
    }
    out[to++] = QUOTE;
    this.length = to;
  }

  private integer(proto: string): void {
    // Short varints are by far the most; BigInt would cost ten times as much.
    if (proto === 'INT64' || proto === 'INT32' || proto === 'UINT32' || proto === 'ENUM') {
      let value = 0;
      let scale = 1;
      let i = this.at;
      for (const stop = i + 7; i < stop; i += 1) {
        const byte = this.input[i];
        if (byte === undefined) throw new RangeError('past the end');
        value += (byte & 127) * scale;
        if (byte < 128) {
          this.at = i + 1;
          this.ascii(String(value));
          return;
        }
        scale *= 128;
      }
    }
    this.ascii(String(this.signed(proto)));
  }

  private signed(proto: string): bigint {
    switch (proto) {
      case 'SINT32':
      case 'SINT64': {
        const zigzag = this.int64();
        return (zigzag >> 1n) ^ -(zigzag & 1n);
      }
      case 'SFIXED32':
        return BigInt(this.view.getInt32(this.advance(4), true));
      case 'FIXED32':
        return BigInt(this.view.getUint32(this.advance(4), true));
      case 'SFIXED64':
        return this.view.getBigInt64(this.advance(8), true);
      case 'UINT32':
      case 'UINT64':
        return this.int64();
      default:
        return BigInt.asIntN(64, this.int64());
    }
  }

  private float(value: number): void {
    if (Number.isFinite(value)) this.ascii(Object.is(value, -0) ? '-0.0' : String(value));
    else this.ascii(Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"');
  }
  private double(): number {
    return this.view.getFloat64(this.advance(8), true);
  }
  private single(): number {
    return this.view.getFloat32(this.advance(4), true);
  }

  private advance(bytes: number): number {
    const from = this.at;
    this.at += bytes;
    return from;
  }

  private chunk(): Buffer {
    const size = this.uint32();
    const from = this.advance(size);
    if (this.at > this.input.length) throw new RangeError('past the end');
    return this.input.subarray(from, this.at);
  }

  private uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.input[this.at++];
      if (byte === undefined) throw new RangeError('past the end');
      value = (value | ((byte & 127) << shift)) >>> 0;
      if (byte < 128) return value;
    }
    throw new RangeError('varint');
  }

  /** The 64 bits of a varint, unsigned. */
  private int64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.input[this.at++];
      if (byte === undefined) throw new RangeError('past the end');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError('varint');
  }

  private skip(wire: number): void {
    if (wire === VARINT) this.int64();
    else if (wire === BYTES) this.chunk();
    else if (wire === FIXED32 || wire === FIXED64) this.advance(wire === FIXED32 ? 4 : 8);
    else throw new RangeError('wire type');
  }
}
