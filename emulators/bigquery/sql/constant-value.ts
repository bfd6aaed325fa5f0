// An expression and a table suffix in, its STRING value out when it follows from literals, parameters and today's date alone; called by the suffix filter.
import type { Compilation } from './compilation.ts';
import type { Expr } from './tree.ts';

const DAY_MS = 86_400_000;

export function constantValue(compilation: Compilation, expr: Expr, suffix: string): string | undefined {
  if (expr.kind === 'literal') return expr.type === 'STRING' ? expr.value : undefined;
  if (expr.kind === 'name') return expr.parts.at(-1)?.text.toUpperCase() === '_TABLE_SUFFIX' ? suffix : undefined;
  if (expr.kind === 'parameter') {
    const found = compilation.context.parameters.find(({ name }) => expr.name !== '' && name?.toLowerCase() === expr.name.toLowerCase());
    return found?.parameterType.type === 'STRING' ? found.parameterValue.value ?? undefined : undefined;
  }
  if (expr.kind === 'binary' && expr.op === '||') {
    const [left, right] = [constantValue(compilation, expr.left, suffix), constantValue(compilation, expr.right, suffix)];
    return left === undefined || right === undefined ? undefined : left + right;
  }
  if (expr.kind !== 'call' || expr.safe) return undefined;
  const [name] = expr.name;
  if (name === 'CONCAT') {
    const parts = expr.args.map((argument) => constantValue(compilation, argument, suffix));
    return parts.includes(undefined) ? undefined : parts.join('');
  }
  if (name === 'FORMAT_DATE' && expr.args[0] && expr.args[1]) {
    const format = constantValue(compilation, expr.args[0], suffix);
    const date = constantDate(compilation, expr.args[1]);
    return format === undefined || date === undefined ? undefined : formatDate(format, date);
  }
  return undefined;
}

function formatDate(format: string, date: Date): string | undefined {
  const iso = date.toISOString();
  const known: Record<string, string> = { Y: iso.slice(0, 4), m: iso.slice(5, 7), d: iso.slice(8, 10), F: iso.slice(0, 10), y: iso.slice(2, 4) };
  let isKnown = true;
  const text = format.replace(/%(.)/g, (whole, code: string) => {
    const value = known[code];
    isKnown &&= value !== undefined;
    return value ?? whole;
  });
  return isKnown ? text : undefined;
}

function constantDate(compilation: Compilation, expr: Expr): Date | undefined {
  if (expr.kind === 'literal' && expr.type === 'DATE') return new Date(`${expr.value}T00:00:00Z`);
  if (expr.kind !== 'call') return undefined;
  const [name] = expr.name;
  if (name === 'CURRENT_DATE' && expr.args.length === 0) return new Date(Math.floor(compilation.context.now.getTime() / DAY_MS) * DAY_MS);
  const [base, interval] = expr.args;
  if ((name !== 'DATE_SUB' && name !== 'DATE_ADD') || !base || interval?.kind !== 'interval' || interval.value.kind !== 'literal') return undefined;
  const start = constantDate(compilation, base);
  const days = { DAY: 1, WEEK: 7 }[interval.unit];
  const count = Number(interval.value.value) * (name === 'DATE_SUB' ? -1 : 1);
  return start && days ? new Date(start.getTime() + days * count * DAY_MS) : undefined;
}
