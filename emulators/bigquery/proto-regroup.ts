// A protobuf message whose fields come twice or in pieces, put in order. Called by proto-row.ts for the rare row that needs it.
import { RowProblem } from './row-problem.ts';
import type { FieldPlan, MessagePlan } from './proto-descriptor.ts';

const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;

/** The same message with every field in one place: of a single value the last counts, messages merge (by joining their bytes), lists grow. */
export function regroup(plan: MessagePlan, row: Buffer): Buffer {
  const groups = new Map<FieldPlan, { head: Buffer; body: Buffer }[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = row[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RowProblem('The row is not a valid protobuf message.');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < row.length) {
    const start = at;
    const tag = varint();
    const afterTag = at;
    const wire = tag & 7;
    if (wire === BYTES) {
      const size = varint(); // Not `at += varint()`: that would add to the place before the size.
      at += size;
    } else if (wire === VARINT) varint();
    else if (wire === FIXED32 || wire === FIXED64) at += wire === FIXED32 ? 4 : 8;
    else throw new RowProblem('The row is not a valid protobuf message.');
    if (at > row.length) throw new RowProblem('The row is not a valid protobuf message.');
    const field = plan.byNumber.get(tag >>> 3);
    if (field === undefined) continue;
    const entry = { head: row.subarray(start, afterTag), body: row.subarray(afterTag, at) };
    const group = groups.get(field);
    if (group === undefined) groups.set(field, [entry]);
    else group.push(entry);
  }
  return Buffer.concat([...groups].flatMap(([field, entries]) => joined(field, entries)));
}

function joined(field: FieldPlan, entries: { head: Buffer; body: Buffer }[]): Buffer[] {
  if (field.repeated) {
    if (field.nested === undefined) return entries.flatMap(({ head, body }) => [head, body]);
    return entries.flatMap(({ head, body }) => [head, withSize(regroup(field.nested!, payload(body)))]);
  }
  const last = entries.at(-1)!;
  if (field.nested === undefined) return [last.head, last.body];
  return [last.head, withSize(regroup(field.nested, Buffer.concat(entries.map((entry) => payload(entry.body)))))];
}

function payload(body: Buffer): Buffer {
  let at = 0;
  while (body[at]! >= 128) at += 1;
  return body.subarray(at + 1);
}

function withSize(body: Buffer): Buffer {
  const size: number[] = [];
  let left = body.length;
  while (left > 127) {
    size.push((left & 127) | 128);
    left >>>= 7;
  }
  return Buffer.concat([Buffer.from([...size, left]), body]);
}
