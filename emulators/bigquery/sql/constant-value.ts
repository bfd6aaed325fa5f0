// An expression and a table suffix in, its STRING value out when it follows from literals, parameters, variables and today's date alone; called by the suffix filter.
import type { Compilation } from './compilation.ts';
import type { CallExpr, Expr } from './tree.ts';

const DAY_MS = 86_400_000;

export function constantValue(compilation: Compilation, expr: Expr, suffix: string): string | undefined {
  const valueOf = (inner: Expr | undefined): string | undefined => inner && constantValue(compilation, inner, suffix);
  if (expr.kind === 'literal') return expr.type === 'STRING' ? expr.value : undefined;
  if (expr.kind === 'name') return isSuffix(compilation, expr) ? suffix : variable(compilation, expr, 'STRING');
  if (expr.kind === 'parameter') return parameter(compilation, expr, 'STRING');
  if (expr.kind === 'binary' && expr.op === '||') return joined([valueOf(expr.left), valueOf(expr.right)]);
  if (expr.kind !== 'call' || expr.safe) return undefined;
  if (expr.name[0] === 'CONCAT') return joined(expr.args.map(valueOf));
  if (expr.name[0] !== 'FORMAT_DATE' || !expr.args[1]) return undefined;
  const format = valueOf(expr.args[0]);
  const date = constantDate(compilation, expr.args[1]);
  return format === undefined || date === undefined ? undefined : formatDate(format, date);
}

/** With another wildcard table beside this one, each has a suffix of its own. */
function isSuffix({ filtered }: Compilation, { parts }: Extract<Expr, { kind: 'name' }>): boolean {
  const [first, second] = parts;
  if (!first || parts.length > 2) return false;
  return (second ?? first).text.toUpperCase() === '_TABLE_SUFFIX' && (!second || filtered.isAlias(first.text));
}

const joined = (parts: (string | undefined)[]): string | undefined => (parts.includes(undefined) ? undefined : parts.join(''));

/** A column of the same name would hide a script's variable, so a name is one only where the query says that it may be. */
function variable(compilation: Compilation, { parts }: Extract<Expr, { kind: 'name' }>, kind: 'STRING' | 'DATE'): string | undefined {
  const [name] = parts;
  if (!name || parts.length > 1 || !compilation.filtered.mayBeVariable(name.text)) return undefined;
  const found = compilation.variables.get(name.text.toLowerCase());
  return found?.type.kind === kind ? found.value : undefined;
}

function parameter({ context }: Compilation, expr: Extract<Expr, { kind: 'parameter' }>, kind: 'STRING' | 'DATE'): string | undefined {
  const found = context.parameters.find(({ name }) => expr.name !== '' && name?.toLowerCase() === expr.name.toLowerCase());
  return found && !found.typed && found.parameterType.type === kind ? found.parameterValue.value ?? undefined : undefined;
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

function dayOf(iso: string | undefined): Date | undefined {
  return iso !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(iso) ? new Date(`${iso}T00:00:00Z`) : undefined;
}

function constantDate(compilation: Compilation, expr: Expr): Date | undefined {
  switch (expr.kind) {
    case 'literal': return expr.type === 'DATE' ? dayOf(expr.value) : undefined;
    case 'name': return dayOf(variable(compilation, expr, 'DATE'));
    case 'parameter': return dayOf(parameter(compilation, expr, 'DATE'));
    case 'binary': {
      if (expr.op !== '-' && expr.op !== '+') return undefined;
      const isDays = expr.right.kind === 'literal' && expr.right.type === 'INT64';
      return moved(compilation, expr.left, expr.right, isDays ? 'DAY' : undefined, expr.op === '-' ? -1 : 1);
    }
    case 'call': return dateOfCall(compilation, expr);
    default: return undefined;
  }
}

function dateOfCall(compilation: Compilation, { name: [name], args }: CallExpr): Date | undefined {
  const [first, second] = args;
  if (name === 'CURRENT_DATE') return today(compilation, first);
  if ((name === 'DATE_SUB' || name === 'DATE_ADD') && first && second) return moved(compilation, first, second, undefined, name === 'DATE_SUB' ? -1 : 1);
  if (name === 'PARSE_DATE' && first?.kind === 'literal' && first.value === '%Y%m%d' && second) {
    const digits = /^(\d{4})(\d{2})(\d{2})$/.exec(constantValue(compilation, second, '') ?? '');
    return digits ? dayOf(`${digits[1]}-${digits[2]}-${digits[3]}`) : undefined;
  }
  if (name === 'DATE_TRUNC' && first && second?.kind === 'name' && ['MONTH', 'YEAR'].includes(second.parts[0]?.text.toUpperCase() ?? '')) {
    const iso = constantDate(compilation, first)?.toISOString();
    return iso === undefined ? undefined : dayOf(second.parts[0]?.text.toUpperCase() === 'YEAR' ? `${iso.slice(0, 4)}-01-01` : `${iso.slice(0, 7)}-01`);
  }
  return undefined;
}

function today({ context }: Compilation, zone: Expr | undefined): Date | undefined {
  if (!zone) return new Date(Math.floor(context.now.getTime() / DAY_MS) * DAY_MS);
  if (zone.kind !== 'literal' || !/^[A-Za-z]+\/[A-Za-z_/]+$|^UTC$/.test(zone.value)) return undefined;
  try {
    return dayOf(new Intl.DateTimeFormat('sv-SE', { timeZone: zone.value }).format(context.now));
  } catch {
    return undefined;
  }
}

/** A date and an INTERVAL (or a number of days) from it; months end where the shorter one does, as in BigQuery. */
function moved(compilation: Compilation, base: Expr, by: Expr, plainUnit: 'DAY' | undefined, sign: number): Date | undefined {
  const start = constantDate(compilation, base);
  const amount = by.kind === 'interval' ? by.value : by;
  const unit = by.kind === 'interval' ? by.unit : plainUnit;
  if (!start || amount.kind !== 'literal' || amount.type !== 'INT64' || (by.kind === 'interval' && by.toUnit)) return undefined;
  const count = Number(amount.value) * sign;
  if (unit === 'DAY' || unit === 'WEEK') return new Date(start.getTime() + (unit === 'WEEK' ? 7 : 1) * count * DAY_MS);
  const months = { MONTH: 1, QUARTER: 3, YEAR: 12 }[unit ?? ''];
  if (months === undefined) return undefined;
  const [year, month] = [start.getUTCFullYear(), start.getUTCMonth() + count * months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month, Math.min(start.getUTCDate(), lastDay)));
}
