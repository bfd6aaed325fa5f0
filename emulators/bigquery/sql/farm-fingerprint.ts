// Bytes or a text in, its FarmHash Fingerprint64 as a signed INT64 out (https://github.com/google/farmhash, farmhashna::Hash64); called per row by FARM_FINGERPRINT.
import { add32, and, and32, assemble, call, get, giveBack, i32, i64, isAtLeast, isAtMost, isUnequal, load32, load64, load8, mul, repeatWhile, rotr, set, shl, shr, shr32, sub32, sum, when, widen, xor } from './wasm-assembler.ts';
import type { Code, WasmFunction } from './wasm-assembler.ts';

const K0 = i64(0xc3a5c85c97cb3127n);
const K1 = i64(0xb492b66fbe98f273n);
const K2 = i64(0x9ae16a3b2f90404fn);
const shiftMix = (value: Code, scratch: number): Code => [...set(scratch, value), ...xor(get(scratch), shr(get(scratch), 47))];

const HASH_16 = 0;
const hash16 = (u: Code, v: Code, by: Code): Code => call(HASH_16, u, v, by);
const hashOf16: WasmFunction = {
  params: ['i64', 'i64', 'i64'], locals: ['i64', 'i64'],
  body: [
    set(3, mul(xor(get(0), get(1)), get(2))), set(3, xor(get(3), shr(get(3), 47))),
    set(4, mul(xor(get(1), get(3)), get(2))), set(4, xor(get(4), shr(get(4), 47))),
    mul(get(4), get(2)),
  ],
};

/** The text stands at address 0; `S` walks through it. */
const [LEN, S, END, MUL, A, B, C, D, X, Y, Z, V1, V2, W1, W2, T] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const start = i32(0);
const length = widen(get(LEN));
const fromEnd = (bytes: number): Code => sub32(get(LEN), i32(bytes));
const setMul = set(MUL, sum(K2, shl(length, 1)));

const upTo16: Code[] = [
  when(isAtLeast(get(LEN), i32(8)),
    setMul, set(A, sum(load64(start), K2)), set(B, load64(fromEnd(8))),
    set(C, sum(mul(rotr(get(B), 37), get(MUL)), get(A))), set(D, mul(sum(rotr(get(A), 25), get(B)), get(MUL))),
    giveBack(hash16(get(C), get(D), get(MUL)))),
  when(isAtLeast(get(LEN), i32(4)),
    setMul, giveBack(hash16(sum(length, shl(load32(start), 3)), load32(fromEnd(4)), get(MUL)))),
  when(isAtLeast(get(LEN), i32(1)),
    set(Y, sum(load8(start), shl(load8(shr32(get(LEN), i32(1))), 8))), set(Z, sum(length, shl(load8(fromEnd(1)), 2))),
    giveBack(mul(shiftMix(xor(mul(get(Y), K2), mul(get(Z), K0)), T), K2))),
  giveBack(K2),
];

const upTo32: Code[] = [
  setMul, set(A, mul(load64(start), K1)), set(B, load64(start, 8)), set(C, mul(load64(fromEnd(8)), get(MUL))), set(D, mul(load64(fromEnd(16)), K2)),
  giveBack(hash16(sum(rotr(sum(get(A), get(B)), 43), rotr(get(C), 30), get(D)), sum(get(A), rotr(sum(get(B), K2), 18), get(C)), get(MUL))),
];

const upTo64: Code[] = [
  setMul, set(A, mul(load64(start), K2)), set(B, load64(start, 8)), set(C, mul(load64(fromEnd(8)), get(MUL))), set(D, mul(load64(fromEnd(16)), K2)),
  set(Y, sum(rotr(sum(get(A), get(B)), 43), rotr(get(C), 30), get(D))),
  set(Z, hash16(get(Y), sum(get(A), rotr(sum(get(B), K2), 18), get(C)), get(MUL))),
  set(V1, mul(load64(start, 16), get(MUL))), set(V2, load64(start, 24)),
  set(W1, mul(sum(get(Y), load64(fromEnd(32))), get(MUL))), set(W2, mul(sum(get(Z), load64(fromEnd(24))), get(MUL))),
  giveBack(hash16(sum(rotr(sum(get(V1), get(V2)), 43), rotr(get(W1), 30), get(W2)), sum(get(V1), rotr(sum(get(V2), get(A)), 18), get(W1)), get(MUL))),
];

/** WeakHashLen32WithSeeds of the 32 bytes at S + offset, into two locals. */
function weakHash(offset: number, seedA: Code, seedB: Code, first: number, second: number): Code[] {
  const fetch = (index: number): Code => load64(get(S), offset + 8 * index);
  return [
    set(A, seedA), set(B, seedB),
    set(A, sum(get(A), fetch(0))), set(B, rotr(sum(get(B), get(A), fetch(3)), 21)), set(C, get(A)),
    set(A, sum(get(A), fetch(1), fetch(2))), set(B, sum(get(B), rotr(get(A), 44))),
    set(first, sum(get(A), fetch(3))), set(second, sum(get(B), get(C))),
  ];
}

/** One round over the 64 bytes at S; the last one mixes by another factor and with more weight. */
function round(by: Code, weight: bigint): Code[] {
  const weighted = (value: Code): Code => (weight === 1n ? value : mul(value, i64(weight)));
  return [
    set(X, mul(rotr(sum(get(X), get(Y), get(V1), load64(get(S), 8)), 37), by)),
    set(Y, mul(rotr(sum(get(Y), get(V2), load64(get(S), 48)), 42), by)),
    set(X, xor(get(X), weighted(get(W2)))),
    set(Y, sum(get(Y), weighted(get(V1)), load64(get(S), 40))),
    set(Z, mul(rotr(sum(get(Z), get(W1)), 33), by)),
    ...weakHash(0, mul(get(V2), by), sum(get(X), get(W1)), V1, V2),
    ...weakHash(32, sum(get(Z), get(W2)), sum(get(Y), load64(get(S), 16)), W1, W2),
    set(T, get(Z)), set(Z, get(X)), set(X, get(T)),
  ];
}

const SEED = 81n;
const rest = and32(sub32(get(LEN), i32(1)), i32(63));
const longer: Code[] = [
  set(X, sum(mul(i64(SEED), K2), load64(start))), set(Y, sum(mul(i64(SEED), K1), i64(113n))),
  set(Z, mul(shiftMix(sum(mul(get(Y), K2), i64(113n)), T), K2)),
  set(S, start), set(END, and32(sub32(get(LEN), i32(1)), i32(-64))),
  repeatWhile([...round(K1, 1n), set(S, add32(get(S), i32(64)))], isUnequal(get(S), get(END))),
  set(MUL, sum(K1, shl(and(get(Z), i64(0xffn)), 1))),
  set(S, sub32(add32(get(END), rest), i32(63))),
  set(W1, sum(get(W1), widen(rest))), set(V1, sum(get(V1), get(W1))), set(W1, sum(get(W1), get(V1))),
  ...round(get(MUL), 9n),
  hash16(
    sum(hash16(get(V1), get(W1), get(MUL)), mul(shiftMix(get(Y), T), K0), get(Z)),
    sum(hash16(get(V2), get(W2), get(MUL)), get(X)), get(MUL)),
];

const fingerprint: WasmFunction = {
  params: ['i32'], locals: ['i32', 'i32', ...Array.from({ length: 13 }, () => 'i64' as const)], exportedAs: 'fingerprint',
  body: [
    when(isAtMost(get(LEN), i32(16)), ...upTo16), when(isAtMost(get(LEN), i32(32)), ...upTo32), when(isAtMost(get(LEN), i32(64)), ...upTo64),
    ...longer,
  ],
};

/** What is used of JavaScript's WebAssembly: Node's types leave it to the browser's. */
type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number };
type Exports = { memory: Memory; fingerprint(length: number): bigint };
type Wasm = { Module: new (code: Uint8Array) => object; Instance: new (module: object) => { exports: Exports } };
const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
const { memory, fingerprint: run } = new Instance(new Module(assemble([hashOf16, fingerprint]))).exports;
const PAGE_BYTES = 65_536;
const encoder = new TextEncoder();
let bytes = new Uint8Array(memory.buffer);

function reserve(size: number): void {
  if (bytes.length >= size) return;
  memory.grow(Math.ceil((size - bytes.length) / PAGE_BYTES));
  bytes = new Uint8Array(memory.buffer);
}

export function farmFingerprint(data: Uint8Array): bigint {
  reserve(data.length);
  bytes.set(data);
  return run(data.length);
}

export function farmFingerprintOfText(value: string): bigint {
  // A UTF-16 unit takes at most three bytes in UTF-8.
  reserve(value.length * 3);
  return run(encoder.encodeInto(value, bytes).written);
}
