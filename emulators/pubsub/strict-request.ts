// A request's bytes in, a refusal out when it carries a field that this version of Google's .proto does not have: protobuf would drop it in
// silence, and a newer client would believe that it was heard. server.ts asks before a call is run.
import { unsupported } from './refusal.ts';
import { fieldsOf } from './wire.ts';

/** As proto-loader describes a message. */
export type MessageDescriptor = {
  name: string;
  field: readonly { name: string; number: number; type: string; typeName: string }[];
  nestedType?: readonly MessageDescriptor[] | null;
};

const LENGTH_DELIMITED = 2;

/** `known`: the messages of all packages by their full name; `home` is the package of the request. */
export class StrictRequests {
  private readonly known: ReadonlyMap<string, MessageDescriptor>;
  private readonly home: string;

  constructor(known: ReadonlyMap<string, MessageDescriptor>, home: string) {
    this.known = known;
    this.home = home;
  }

  refuseUnknown(bytes: Buffer, message: MessageDescriptor, path = message.name, outer: readonly MessageDescriptor[] = []): void {
    const scope = [message, ...outer];
    for (const { number, wire, start, end } of fieldsOf(bytes)) {
      const field = message.field.find((one) => one.number === number);
      if (field === undefined) throw unsupported(`field ${number} of ${path}, which its .proto does not have`);
      if (field.type !== 'TYPE_MESSAGE' || wire !== LENGTH_DELIMITED) continue;
      const inner = this.resolve(field.typeName, scope);
      if (inner !== undefined) this.refuseUnknown(bytes.subarray(start, end), inner, `${path}.${field.name}`, scope);
    }
  }

  /** Map entries are not described by name: they have no fields of interest. */
  private resolve(typeName: string, scope: readonly MessageDescriptor[]): MessageDescriptor | undefined {
    const bare = typeName.replace(/^\./, '');
    for (const { nestedType } of scope) {
      const found = nestedType?.find(({ name }) => name === bare);
      if (found !== undefined) return found;
    }
    return this.known.get(bare) ?? this.known.get(`${this.home}.${bare}`);
  }
}
