// An expression's tree and what its names mean in, its value out. Called by plan.ts.
import type { Node } from 'web-tree-sitter';
import { call } from './functions.ts';
import { named } from './parse.ts';
import { Filled, Unknown, isFields, same, textOf } from './values.ts';
import type { Fields, Value } from './values.ts';

/** What var, local, path and resource types mean; loop variables, each and the like are in `names`. */
export type Scope = { names: Record<string, Value>; resolve: (root: string, name: string) => Value };

const POSTFIX = new Set(['get_attr', 'index', 'splat']);
const OPERATORS = new Set(['==', '!=', '<', '<=', '>', '>=', '&&', '||', '+', '-', '*', '/', '%']);

export const evaluate = (expression: Node, scope: Scope): Value => ofNodes(meaningful(expression), scope);

const meaningful = (node: Node): Node[] => node.children.filter((child): child is Node => child !== null && child.type !== 'comment');

/** A primary and what follows it: `.name`, `[key]`, `[*].name`. */
function ofNodes(nodes: Node[], scope: Scope): Value {
  const [first, ...after] = nodes as [Node, ...Node[]];
  if (first.type === '(') return follow(evaluate(after[0]!, scope), after.slice(2), scope);
  if (first.type !== 'variable_expr') return follow(primary(first, scope), after, scope);
  if (first.text in scope.names) return follow(scope.names[first.text]!, after, scope);
  const [name, ...rest] = after;
  if (name?.type !== 'get_attr') throw new Error(`${first.text} is not a value`);
  return follow(scope.resolve(first.text, named(name)[0]!.text), rest, scope);
}

function primary(node: Node, scope: Scope): Value {
  switch (node.type) {
    case 'literal_value': return literal(named(node)[0]!);
    case 'template_expr': return template(named(node)[0]!, scope);
    case 'collection_value': return collection(named(node)[0]!, scope);
    case 'conditional': return conditional(node, scope);
    case 'operation': return operation(named(node)[0]!, scope);
    case 'function_call': return functionCall(node, scope);
    case 'for_expr': return forExpression(named(node)[0]!, scope);
    case 'expression': return evaluate(node, scope);
    default: throw new Error(`the test's reader does not know ${node.type}`);
  }
}

/** `a ? b : c ? d : e` is read by the grammar as `(a ? b : c) ? d : e`, by Terraform as `a ? b : (c ? d : e)`. */
function conditional(node: Node, scope: Scope): Value {
  const cases: [condition: Node, value: Node][] = [];
  const unfold = (one: Node): Node => {
    const [condition, yes, no] = named(one) as [Node, Node, Node];
    const inner = named(condition);
    cases.push([inner.length === 1 && inner[0]!.type === 'conditional' ? unfold(inner[0]!) : condition, yes]);
    return no;
  };
  const last = unfold(node);
  for (const [condition, value] of cases) {
    const chosen = evaluate(condition, scope);
    if (chosen instanceof Unknown) return chosen;
    if (chosen === true) return evaluate(value, scope);
  }
  return evaluate(last, scope);
}

function literal(node: Node): Value {
  if (node.type === 'numeric_lit') return Number(node.text);
  if (node.type === 'bool_lit') return node.text === 'true';
  return node.type === 'null_lit' ? null : unescape(node.text.slice(1, -1));
}

const unescape = (text: string): string => text.replace(/\\(["\\nt])|\$\$\{/g, (all, sign?: string) => (sign === undefined ? '${' : ({ n: '\n', t: '\t' }[sign] ?? sign)));

/** The text between the interpolations is taken from the source: the grammar leaves out its spaces. */
function template(node: Node, scope: Scope): Value {
  const parts: Value[] = [];
  let from = 1;
  for (const part of named(node).filter(({ type }) => type === 'template_interpolation')) {
    parts.push(unescape(node.text.slice(from, part.startIndex - node.startIndex)));
    parts.push(evaluate(named(part).find(({ type }) => type === 'expression')!, scope));
    from = part.endIndex - node.startIndex;
  }
  parts.push(unescape(node.text.slice(from, -1)));
  if (!parts.some((part) => part instanceof Unknown)) return parts.map(textOf).join('');
  return new Unknown(parts.map((part) => (part instanceof Unknown ? `\${${part.path}}` : textOf(part))).join(''));
}

function collection(node: Node, scope: Scope): Value {
  if (node.type === 'tuple') return named(node).filter(({ type }) => type === 'expression').map((one) => evaluate(one, scope));
  const object: Fields = {};
  for (const element of named(node).filter(({ type }) => type === 'object_elem')) {
    const [key, value] = named(element) as [Node, Node];
    const isName = named(key).length === 1 && named(key)[0]!.type === 'variable_expr';
    object[isName ? key.text : textOf(evaluate(key, scope))] = evaluate(value, scope);
  }
  return object;
}

function operation(node: Node, scope: Scope): Value {
  const nodes = meaningful(node);
  if (node.type === 'unary_operation') {
    const value = ofNodes(nodes.slice(1), scope);
    return value instanceof Unknown ? value : nodes[0]!.type === '!' ? value !== true : -Number(value);
  }
  const at = nodes.findIndex(({ type }) => OPERATORS.has(type));
  const left = ofNodes(nodes.slice(0, at), scope);
  const right = ofNodes(nodes.slice(at + 1), scope);
  if (left instanceof Unknown || right instanceof Unknown) return left instanceof Unknown ? left : right;
  switch (nodes[at]!.type) {
    case '==': return same(left, right);
    case '!=': return !same(left, right);
    case '&&': return left === true && right === true;
    case '||': return left === true || right === true;
  }
  if (left === null || right === null) throw new Error('nothing cannot be compared or counted with');
  switch (nodes[at]!.type) {
    case '<': return Number(left) < Number(right);
    case '<=': return Number(left) <= Number(right);
    case '>': return Number(left) > Number(right);
    case '>=': return Number(left) >= Number(right);
    case '+': return Number(left) + Number(right);
    case '-': return Number(left) - Number(right);
    case '*': return Number(left) * Number(right);
    case '/': return Number(left) / Number(right);
    default: return Number(left) % Number(right);
  }
}

function functionCall(node: Node, scope: Scope): Value {
  const [name, holder] = named(node) as [Node, Node | undefined];
  const given = holder === undefined ? [] : named(holder).filter(({ type }) => type === 'expression');
  const attempt = (one: Node): { value: Value } | undefined => {
    try {
      return { value: evaluate(one, scope) };
    } catch {
      return undefined;
    }
  };
  if (name.text === 'can') return attempt(given[0]!) !== undefined;
  if (name.text === 'try') {
    for (const one of given) {
      const tried = attempt(one);
      if (tried !== undefined) return tried.value;
    }
    throw new Error('no argument of try has a value');
  }
  const values = given.map((one) => evaluate(one, scope));
  const spread = holder !== undefined && named(holder).some(({ type }) => type === 'ellipsis');
  return call(name.text, spread ? [...values.slice(0, -1), ...(values.at(-1) as Value[])] : values);
}

function forExpression(node: Node, scope: Scope): Value {
  const intro = named(node).find(({ type }) => type === 'for_intro')!;
  const names = named(intro).filter(({ type }) => type === 'identifier').map(({ text }) => text);
  const over = evaluate(named(intro).find(({ type }) => type === 'expression')!, scope);
  if (over instanceof Unknown) return over;
  const condition = named(node).find(({ type }) => type === 'for_cond');
  const bodies = named(node).filter(({ type }) => type === 'expression');
  const rounds = entriesOf(over).map(([key, value]): Scope => ({ ...scope, names: { ...scope.names, ...(names.length === 1 ? { [names[0]!]: value } : { [names[0]!]: key, [names[1]!]: value }) } }))
    .filter((inner) => condition === undefined || evaluate(named(condition).find(({ type }) => type === 'expression')!, inner) === true);
  if (node.type === 'for_tuple_expr') return rounds.map((inner) => evaluate(bodies[0]!, inner));
  return Object.fromEntries(rounds.map((inner) => [textOf(evaluate(bodies[0]!, inner)), evaluate(bodies[1]!, inner)]));
}

/** Terraform walks objects in the order of their names. */
export function entriesOf(value: Value): [string | number, Value][] {
  if (Array.isArray(value)) return value.map((one, index) => [index, one]);
  if (!isFields(value)) throw new Error('a list or an object was expected');
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function follow(value: Value, nodes: Node[], scope: Scope): Value {
  const [next, ...rest] = nodes;
  if (next === undefined) return value;
  if (!POSTFIX.has(next.type)) throw new Error(`${next.type} after a value`);
  if (next.type === 'get_attr') return follow(member(value, named(next)[0]!.text), rest, scope);
  if (next.type === 'index') return follow(member(value, textOf(evaluate(named(named(next)[0]!)[0]!, scope))), rest, scope);
  const inner = named(named(next)[0]!);
  if (value instanceof Unknown) return value;
  const all = value === null ? [] : Array.isArray(value) ? value : [value];
  return follow(all.map((one) => follow(one, inner, scope)), rest, scope);
}

function member(value: Value, name: string): Value {
  if (value instanceof Unknown) return new Unknown(`${value.path}.${name}`);
  if (value instanceof Filled) return name in value.fields ? value.fields[name]! : new Unknown(`${value.path}.${name}`);
  if (Array.isArray(value) && Number(name) < value.length) return value[Number(name)]!;
  if (isFields(value) && name in value) return value[name]!;
  throw new Error(`there is no ${name}`);
}
