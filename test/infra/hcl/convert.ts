// A variable's type and a given value in, the value with the defaults of its optional parts out. Called by plan.ts.
import type { Node } from 'web-tree-sitter';
import { evaluate } from './evaluate.ts';
import type { Scope } from './evaluate.ts';
import { named } from './parse.ts';
import { isFields } from './values.ts';
import type { Value } from './values.ts';

const NOTHING: Scope = { names: {}, resolve: (root) => { throw new Error(`${root} has no place in a type`); } };

export function convert(type: Node, value: Value): Value {
  const [node] = named(type) as [Node];
  if (value === null || node.type === 'variable_expr') return value;
  const [name, holder] = named(node) as [Node, Node];
  const inner = named(holder)[0]!;
  if (name.text === 'list' || name.text === 'set') return (value as Value[]).map((one) => convert(inner, one));
  if (name.text === 'map') return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, convert(inner, one as Value)]));
  if (name.text !== 'object') throw new Error(`the test's reader does not know the type ${name.text}`);
  if (!isFields(value)) throw new Error('an object was expected');
  const elements = named(named(named(inner)[0]!)[0]!).filter((one) => one.type === 'object_elem');
  return Object.fromEntries(elements.map((element) => {
    const [key, of] = named(element) as [Node, Node];
    return [key.text, field(of, key.text, value[key.text])];
  }));
}

function field(of: Node, name: string, given: Value | undefined): Value {
  const [node] = named(of) as [Node];
  const isOptional = node.type === 'function_call' && named(node)[0]!.text === 'optional';
  if (!isOptional) {
    if (given === undefined) throw new Error(`${name} is missing`);
    return convert(of, given);
  }
  const [inner, fallback] = named(named(node)[1]!) as [Node, Node | undefined];
  if (given !== undefined && given !== null) return convert(inner, given);
  return fallback === undefined ? null : convert(inner, evaluate(fallback, NOTHING));
}
