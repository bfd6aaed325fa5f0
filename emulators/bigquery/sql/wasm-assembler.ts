// Expressions of 64-bit arithmetic in, the bytes of a WebAssembly module out; used for FARM_FINGERPRINT, whose 64-bit products JavaScript numbers cannot hold
// and BigInt makes a hundred times slower. Opcodes: https://webassembly.github.io/spec/core/appendix/index-instructions.html

/** Code that leaves one value on the stack (or none, for a statement). */
export type Code = number[];

function unsigned(value: number): Code {
  const bytes: Code = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value ? low | 0x80 : low);
  } while (value);
  return bytes;
}

function signed(value: bigint): Code {
  const bytes: Code = [];
  while (true) {
    const low = Number(value & 0x7fn);
    value >>= 7n;
    const isLast = (value === 0n && !(low & 0x40)) || (value === -1n && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

const pair = (opcode: number) => (left: Code, right: Code): Code => [...left, ...right, opcode];

export const i64 = (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))];
export const i32 = (value: number): Code => [0x41, ...signed(BigInt(value))];
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const sum = (...terms: Code[]): Code => terms.reduce((left, right) => [...left, ...right, 0x7c]);
export const mul = pair(0x7e);
export const and = pair(0x83);
export const xor = pair(0x85);
export const shl = (value: Code, bits: number): Code => [...value, ...i64(BigInt(bits)), 0x86];
export const shr = (value: Code, bits: number): Code => [...value, ...i64(BigInt(bits)), 0x88];
export const rotr = (value: Code, bits: number): Code => [...value, ...i64(BigInt(bits)), 0x8a];
export const load64 = (address: Code, offset = 0): Code => [...address, 0x29, 0, ...unsigned(offset)];
export const load32 = (address: Code, offset = 0): Code => [...address, 0x35, 0, ...unsigned(offset)];
export const load8 = (address: Code, offset = 0): Code => [...address, 0x31, 0, ...unsigned(offset)];
export const widen = (value: Code): Code => [...value, 0xad];
export const add32 = pair(0x6a);
export const sub32 = pair(0x6b);
export const and32 = pair(0x71);
export const shr32 = pair(0x76);
export const isAtMost = pair(0x4d);
export const isAtLeast = pair(0x4f);
export const isUnequal = pair(0x47);
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, 0x40, ...body.flat(), 0x0b];
/** Runs the body, and again as long as the condition holds. */
export const repeatWhile = (body: Code[], condition: Code): Code => [0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0, 0x0b];
export const giveBack = (value: Code): Code => [...value, 0x0f];
export const call = (index: number, ...args: Code[]): Code => [...args.flat(), 0x10, ...unsigned(index)];

export type WasmFunction = { params: ('i32' | 'i64')[]; locals: ('i32' | 'i64')[]; body: Code[]; exportedAs?: string };

const TYPE = { i32: 0x7f, i64: 0x7e };
const vector = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const nameBytes = (name: string): Code => vector([...Buffer.from(name)].map((byte) => [byte]));

/** Every function gives one i64; the memory is exported as "memory". */
export function assemble(functions: WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ params }) => [0x60, ...vector(params.map((type) => [TYPE[type]])), 1, TYPE.i64]);
  const exported = functions.flatMap(({ exportedAs }, index) => (exportedAs ? [[...nameBytes(exportedAs), 0, ...unsigned(index)]] : []));
  const code = functions.map(({ locals, body }) => {
    const content = [...vector(locals.map((type) => [1, TYPE[type]])), ...body.flat(), 0x0b];
    return [...unsigned(content.length), ...content];
  });
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(5, vector([[0, 1]])),
    ...section(7, vector([...exported, [...nameBytes('memory'), 2, 0]])),
    ...section(10, vector(code)),
  ]);
}
