// A WHERE clause and the suffix of a shard in, whether the shard may have rows out; called for wildcard tables. Unsure means yes: the filter itself still runs.
import type { Compilation } from './compilation.ts';
import { constantValue } from './constant-value.ts';
import type { Expr } from './tree.ts';

export function keepsSuffix(compilation: Compilation, where: Expr | undefined, suffix: string): boolean {
  return where === undefined || holds(compilation, where, suffix) !== false;
}

/** True, false, or undefined for what cannot be known before the query runs. */
function holds(compilation: Compilation, expr: Expr, suffix: string): boolean | undefined {
  const value = (inner: Expr): string | undefined => constantValue(compilation, inner, suffix);
  if (expr.kind === 'binary' && (expr.op === 'AND' || expr.op === 'OR')) {
    const [left, right] = [holds(compilation, expr.left, suffix), holds(compilation, expr.right, suffix)];
    const decides = expr.op === 'OR';
    if (left === decides || right === decides) return decides;
    return left === undefined || right === undefined ? undefined : !decides;
  }
  if (expr.kind === 'unary' && expr.op === 'NOT') {
    const inner = holds(compilation, expr.operand, suffix);
    return inner === undefined ? undefined : !inner;
  }
  if (expr.kind === 'binary') return compare(expr.op, value(expr.left), value(expr.right));
  if (expr.kind === 'between') {
    const [operand, low, high] = [value(expr.operand), value(expr.low), value(expr.high)];
    const inside = compare('>=', operand, low) === false || compare('<=', operand, high) === false ? false
      : compare('>=', operand, low) && compare('<=', operand, high) ? true : undefined;
    return inside === undefined ? undefined : inside !== expr.not;
  }
  if (expr.kind === 'in' && expr.list) {
    const operand = value(expr.operand);
    const items = expr.list.map(value);
    if (operand === undefined || items.includes(undefined)) return undefined;
    return items.includes(operand) !== expr.not;
  }
  if (expr.kind === 'like' && !expr.quantifier && expr.patterns[0]) {
    const [operand, pattern] = [value(expr.operand), value(expr.patterns[0])];
    if (operand === undefined || pattern === undefined || pattern.includes('\\')) return undefined;
    const source = pattern.replace(/[.*+?^${}()|[\]]/g, '\\$&').replaceAll('%', '.*').replaceAll('_', '.');
    return new RegExp(`^${source}$`, 's').test(operand) !== expr.not;
  }
  return undefined;
}

function compare(op: string, left: string | undefined, right: string | undefined): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  switch (op) {
    case '=': return left === right;
    case '!=': return left !== right;
    case '<': return left < right;
    case '<=': return left <= right;
    case '>': return left > right;
    case '>=': return left >= right;
    default: return undefined;
  }
}
