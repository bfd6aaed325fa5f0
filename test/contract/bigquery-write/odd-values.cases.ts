// Contract cases of values that need a message made by hand: enums as Google's generated classes carry them, bytes that call themselves text.
import { expect } from 'vitest';
import protobuf from 'protobufjs';
import type { ContractCase } from '../contract.ts';
import type { Message } from './messages.ts';
import type { WriteWorld } from './world.ts';

const STRING = 9;
const ENUM = 14;
const OPTIONAL = 1;

/** `message Row { enum Kind { PHONE = 0; WEB = 7; } optional Kind name = 1; optional Kind number = 2; }` */
function rowWithEnums(): Message {
  const kind = new protobuf.Enum('Kind', { PHONE: 0, WEB: 7 });
  const type = new protobuf.Type('Row').add(kind).add(new protobuf.Field('name', 1, 'Kind')).add(new protobuf.Field('number', 2, 'Kind'));
  return {
    type,
    descriptor: {
      name: 'Row', enumType: [{ name: 'Kind', value: [{ name: 'PHONE', number: 0 }, { name: 'WEB', number: 7 }] }],
      field: ['name', 'number'].map((name, at) => ({ name, number: at + 1, label: OPTIONAL, type: ENUM, typeName: 'Kind' })),
    },
    encode: (row) => type.encode(type.fromObject(row)).finish(),
  };
}

/** A field that the descriptor calls a string, and that is encoded as bytes. */
function rowWithAnyText(): Message {
  const type = new protobuf.Type('Row').add(new protobuf.Field('name', 1, 'bytes'));
  return { type, descriptor: { name: 'Row', field: [{ name: 'name', number: 1, label: OPTIONAL, type: STRING }] }, encode: (row) => type.encode(type.create(row)).finish() };
}

export const ODD_VALUE_CASES: readonly ContractCase<WriteWorld>[] = [
  {
    name: 'enum-names-and-numbers', promise: 'an enum is stored by its name in a STRING column and by its number in an INTEGER column', methods: ['AppendRows'],
    source: 'https://docs.cloud.google.com/bigquery/docs/supported-data-types',
    differs: { independent: { reason: "bqemulator stores an enum's number as the text of a STRING column" } },
    async run(world) {
      const table = await world.newTable([{ name: 'name', type: 'STRING' }, { name: 'number', type: 'INTEGER' }]);
      const connection = world.connect(world.defaultStream(table));
      const answer = await connection.append(rowWithEnums(), [{ name: 'WEB', number: 'WEB' }, { name: 'PHONE', number: 'PHONE' }]);
      connection.close();
      expect(answer.error ?? null).toBeNull();
      expect((await world.stored(table, 'number')).map(({ name, number }) => [name, Number(number)])).toEqual([['PHONE', 0], ['WEB', 7]]);
    },
  },
  {
    name: 'text-that-is-not-utf8', promise: 'a text that is not UTF-8 is refused, and nothing of its request is stored', methods: ['AppendRows'],
    source: 'https://protobuf.dev/programming-guides/proto2/#scalar',
    differs: { independent: { reason: 'bqemulator takes a text that is not UTF-8' } },
    async run(world) {
      const table = await world.newTable([{ name: 'name', type: 'STRING' }]);
      const connection = world.connect(world.defaultStream(table));
      const outcome = await connection.append(rowWithAnyText(), [{ name: Buffer.from('good') }, { name: Buffer.from([0x61, 0xff, 0xfe]) }]).then(({ error, rowErrors }) => error?.code ?? rowErrors?.length ?? 0, (problem: { code: number }) => problem.code);
      connection.close();
      expect(outcome).toBe(3);
      expect(await world.stored(table, 'name')).toEqual([]);
    },
  },
];
