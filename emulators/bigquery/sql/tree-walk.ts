// Questions about an expression tree that need no names resolved: its children, whether it aggregates, whether two are the same. Used by the compiler.
import { isAggregateFunction } from './functions/aggregate-names.ts';
import type { Expr, Name, OrderItem, WindowSpec } from './tree.ts';

/** Direct children, without those inside subqueries. */
export function childrenOf(expr: Expr): Expr[] {
  switch (expr.kind) {
    case 'field': return [expr.base];
    case 'index': return [expr.base, expr.index];
    case 'unary': return [expr.operand];
    case 'binary': return [expr.left, expr.right];
    case 'between': return [expr.operand, expr.low, expr.high];
    case 'in': return [expr.operand, ...(expr.list ?? []), ...(expr.unnest ? [expr.unnest] : [])];
    case 'like': return [expr.operand, ...expr.patterns];
    case 'is': return [expr.operand, ...(expr.other ? [expr.other] : [])];
    case 'case': return [...(expr.operand ? [expr.operand] : []), ...expr.whens.flatMap(({ when, then }) => [when, then]), ...(expr.otherwise ? [expr.otherwise] : [])];
    case 'cast': return [expr.operand];
    case 'extract': return [expr.operand, ...(expr.zone ? [expr.zone] : [])];
    case 'interval': return [expr.value];
    case 'array': return expr.items;
    case 'struct': return expr.items.map((item) => item.expr);
    case 'with': return [...expr.items.map((item) => item.expr), expr.body];
    case 'call': return [
      ...expr.args, ...expr.namedArgs.map(({ value }) => value), ...ordered(expr.orderBy), ...(expr.having ? [expr.having.expr] : []),
      ...(expr.over ? windowExprs(expr.over) : []),
    ];
    default: return [];
  }
}

const ordered = (items: OrderItem[]): Expr[] => items.map(({ expr }) => expr);
const windowExprs = (spec: WindowSpec): Expr[] => [...spec.partitionBy, ...ordered(spec.orderBy)];

export function isAggregateCall(expr: Expr): boolean {
  return expr.kind === 'call' && expr.over === undefined && isAggregateFunction(expr.name.join('.'));
}

export function containsAggregate(expr: Expr): boolean {
  return isAggregateCall(expr) || childrenOf(expr).some(containsAggregate);
}

export function containsWindow(expr: Expr): boolean {
  return (expr.kind === 'call' && expr.over !== undefined) || childrenOf(expr).some(containsWindow);
}

/** Equal for trees that differ in places and the case of names only, and outside subqueries also where two names stand for the same. */
export function treeKey(tree: unknown, standsFor?: (parts: Name[]) => string | undefined): string {
  return JSON.stringify(tree, (key, value: unknown) => {
    if (key === 'place' || key === 'written') return undefined;
    // Inside, the same name may stand for something else.
    if (key === 'query' && standsFor) return treeKey(value);
    if (key === 'parts' && Array.isArray(value)) return standsFor?.(value as Name[]) ?? value.map((part: Name) => part.text.toLowerCase());
    return value;
  });
}
