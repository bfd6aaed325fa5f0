// Google's clients describe every service of an API in one protos.json, and make gRPC definitions of all of it at start. In goes that
// description and the services that are called, out comes the same description with those and the messages they can reach.
// Called by leave-out.ts. Annotations (google.api.http and the like) go too: they steer the REST transport and documentation, not gRPC.

type Field = { type: string; keyType?: string; options?: Record<string, unknown> };
export type ProtoNode = {
  options?: Record<string, unknown>;
  parsedOptions?: unknown;
  nested?: Record<string, ProtoNode>;
  fields?: Record<string, Field>;
  values?: Record<string, number>;
  methods?: Record<string, { requestType: string; responseType: string; options?: Record<string, unknown>; parsedOptions?: unknown }>;
  [other: string]: unknown;
};

export function pruneProtos(root: ProtoNode, services: readonly string[]): ProtoNode {
  const nodes = new Map<string, ProtoNode>();
  index(root, '', nodes);
  const kept = new Set<string>();
  const keep = (name: string): void => {
    const node = nodes.get(name);
    if (node === undefined) throw new Error(`protos.json names ${name}, which it does not define.`);
    if (kept.has(name)) return;
    kept.add(name);
    for (const { requestType, responseType } of Object.values(node.methods ?? {})) for (const type of [requestType, responseType]) keep(resolve(type, name, nodes));
    for (const { type } of Object.values(node.fields ?? {})) if (!SCALARS.has(type)) keep(resolve(type, name, nodes));
    for (const inner of Object.keys(node.nested ?? {})) keep(`${name}.${inner}`);
  };
  services.forEach(keep);
  return copy(root, '', kept) ?? {};
}

const SCALARS = new Set(['double', 'float', 'int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'fixed32', 'fixed64', 'sfixed32', 'sfixed64', 'bool', 'string', 'bytes']);

function index(node: ProtoNode, name: string, nodes: Map<string, ProtoNode>): void {
  nodes.set(name, node);
  for (const [inner, child] of Object.entries(node.nested ?? {})) index(child, name === '' ? inner : `${name}.${inner}`, nodes);
}

/** Protobuf's scoping: the innermost scope that defines the name. A namespace of that name is no type. */
function resolve(type: string, scope: string, nodes: Map<string, ProtoNode>): string {
  if (type.startsWith('.')) return type.slice(1);
  for (let at = scope; ; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const name = at === '' ? type : `${at}.${type}`;
    const node = nodes.get(name);
    if (node?.fields !== undefined || node?.values !== undefined) return name;
    if (at === '') return type;
  }
}

function copy(node: ProtoNode, name: string, kept: ReadonlySet<string>): ProtoNode | undefined {
  const nested = Object.entries(node.nested ?? {}).flatMap(([inner, child]) => {
    const copied = copy(child, name === '' ? inner : `${name}.${inner}`, kept);
    return copied === undefined ? [] : [[inner, copied] as const];
  });
  if (nested.length === 0 && !kept.has(name)) return undefined;
  return plain({
    ...node,
    ...(node.fields === undefined ? {} : { fields: mapValues(node.fields, plain) }),
    ...(node.methods === undefined ? {} : { methods: mapValues(node.methods, plain) }),
    ...(node.nested === undefined ? {} : { nested: Object.fromEntries(nested) }),
  });
}

/** Without annotations, whose names are in brackets; `proto3_optional` and the like stay. */
function plain<T extends { options?: Record<string, unknown>; parsedOptions?: unknown }>(node: T): T {
  const { options, parsedOptions: _annotations, ...rest } = node;
  const kept = Object.entries(options ?? {}).filter(([name]) => !name.startsWith('('));
  return { ...rest, ...(kept.length > 0 ? { options: Object.fromEntries(kept) } : {}) } as T;
}

function mapValues<T>(record: Record<string, T>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
