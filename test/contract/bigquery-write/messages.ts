// Protobuf messages of contract cases: a description in a few lines gives Google's descriptor and an encoder (protobufjs). Called by the cases.
import { protos } from '@google-cloud/bigquery-storage';
import protobuf from 'protobufjs';

const { Field, Type } = protobuf;
const Types = protos.google.protobuf.FieldDescriptorProto.Type;

export type DescriptorProto = protos.google.protobuf.IDescriptorProto;
export type Message = { type: protobuf.Type; descriptor: DescriptorProto; encode(row: object): Uint8Array };
/** `string`, `int64[]`, … or another message, `[message]` for a list of it. */
export type FieldSpec = string | Message | readonly [Message];

/** Fields are numbered in their order, from 1. */
export function message(name: string, fields: Record<string, FieldSpec>): Message {
  const type = new Type(name);
  const descriptor: DescriptorProto = { name, field: [], nestedType: [] };
  for (const [at, [key, spec]] of Object.entries(fields).entries()) {
    const isList = typeof spec === 'string' ? spec.endsWith('[]') : Array.isArray(spec);
    const nested = typeof spec === 'string' ? undefined : (Array.isArray(spec) ? spec[0] : spec) as Message;
    if (nested !== undefined) {
      type.add(nested.type);
      descriptor.nestedType!.push(nested.descriptor);
    }
    const scalar = typeof spec === 'string' ? spec.replace('[]', '') : 'message';
    // proto2, in which lists are not packed unless said.
    type.add(new Field(key, at + 1, nested?.type.name ?? scalar, isList ? 'repeated' : 'optional', undefined, { packed: false }));
    descriptor.field!.push({ name: key, number: at + 1, label: isList ? 3 : 1, type: Types[`TYPE_${scalar.toUpperCase()}` as keyof typeof Types], ...(nested === undefined ? {} : { typeName: nested.type.name }) });
  }
  return { type, descriptor, encode: (row) => type.encode(type.fromObject(row)).finish() };
}
