// One SELECT with the ORDER BY and LIMIT that follow it in, a DuckDB query out; called by the query compiler.
import type { Compilation } from './compilation.ts';
import { requireBool } from './compile-comparison.ts';
import { compileExpr, impliedName } from './compile-expression.ts';
import { compileFrom } from './compile-from.ts';
import { orderDirection } from './compile-query.ts';
import type { SqlType } from './context.ts';
import { expandStar } from './expand-star.ts';
import { invalidQuery } from './google-sql-error.ts';
import { liftForExtremes, withExtremes } from './having-extremes.ts';
import { namesIn } from './names.ts';
import { lookForEarlyLists, readBeforeWindows } from './read-before-windows.ts';
import { duckType, quote, structOf, structPack } from './sql-type.ts';
import { childScope } from './scope.ts';
import type { Grouping, Relation, Scope, Typed } from './scope.ts';
import { containsAggregate, containsWindow, treeKey } from './tree-walk.ts';
import type { Expr, FromItem, GroupBy, GroupingSet, OrderItem, Select } from './tree.ts';

type Output = { name: string; value: Typed; expr?: Expr };

export function compileSelect(compilation: Compilation, parent: Scope, select: Select, orderBy: OrderItem[], limit: string): Relation {
  const scope = childScope(parent);
  const names = select.from && aliasesOfOne(select.from);
  if (names) scope.namesOfOne = new Set(names);
  const from = select.from ? ` FROM ${compileFrom(compilation, scope, select.from, select.where)}` : '';
  if (!select.from) checkWithoutFrom(select, orderBy);
  const clause = (name: string, keyword: string, expr: Expr | undefined): string => {
    if (!expr) return '';
    const value = requireBool(compileExpr(compilation, { ...scope, clause: `${name} clause` }, expr), `${name} clause`, expr.place);
    return ` ${keyword} ${value.sql}`;
  };
  const where = clause('WHERE', 'WHERE', select.where);
  scope.windows = new Map(select.windows.map(({ name, spec }) => [name.toLowerCase(), spec]));
  const lifted = liftForExtremes(compilation, scope, exprsOverGroups(select, orderBy), `${from}${where}`);
  const grouped = compileGroupBy(compilation, scope, select, orderBy);
  if (grouped) scope.grouping = { ...grouped.grouping, ...(lifted && select.groupBy?.kind !== 'sets' && { extremes: lifted.extremes }) };
  lookForEarlyLists(scope, select);
  const outputs = compileItems(compilation, scope, select);
  const columns = nameColumns(outputs);
  scope.aliases = aliasesOf(outputs);
  const having = clause('HAVING', 'HAVING', select.having);
  const qualify = clause('QUALIFY', 'QUALIFY', select.qualify);
  const order = compileOrder(compilation, select.distinct ? { ...scope, distinct: new Set(outputs.map(({ value }) => value.sql)) } : scope, select, orderBy, outputs);
  const rest = `${grouped?.sql ?? ''}${having}${qualify}${order}`;
  const source = lifted ? withExtremes(lifted.extremes, lifted.from) : `${from}${where}`;
  if (select.as) return asValueTable(select, outputs, columns, `${source}${rest}${limit}`);
  const list = outputs.map(({ value }, index) => `${outputSql(value)} AS ${quote(columns[index]?.duckName ?? '')}`).join(', ');
  const read = readBeforeWindows(compilation, scope, source, [list, rest]);
  return { sql: `SELECT ${select.distinct ? 'DISTINCT ' : ''}${read.clauses[0]}${read.from}${read.clauses[1]}${limit}`, columns };
}

/** Names that the FROM clause itself gives, where it has one relation besides arrays; undefined where others bring columns of their own. */
function aliasesOfOne(from: FromItem): string[] | undefined {
  if (from.kind === 'join') {
    const left = aliasesOfOne(from.left);
    return left && from.right.kind === 'unnest' ? [...left, ...namesOf(from.right)] : undefined;
  }
  return from.kind === 'table' ? namesOf(from) : undefined;
}

const namesOf = ({ alias, offset }: Extract<FromItem, { kind: 'table' | 'unnest' }>): string[] => [alias, offset].flatMap((name) => (name ? [name.text.toLowerCase()] : []));

function checkWithoutFrom(select: Select, orderBy: OrderItem[]): void {
  const first = orderBy[0]?.expr;
  const refused = select.where ? { what: 'WHERE', at: select.where } : select.having ? { what: 'HAVING', at: select.having } : first ? { what: 'ORDER BY', at: first } : undefined;
  if (refused) throw invalidQuery(`Query without FROM clause cannot have ${refused.what === 'ORDER BY' ? 'an' : 'a'} ${refused.what} clause`, refused.at.place);
  if (select.groupBy) throw invalidQuery('Query without FROM clause cannot have a GROUP BY clause', select.place);
  if (select.items.some((item) => item.kind === 'expr' && containsAggregate(item.expr))) throw invalidQuery('SELECT without FROM clause cannot use aggregation', select.place);
  const star = select.items.find((item) => item.kind === 'star' && !item.base);
  if (star?.kind === 'star') throw invalidQuery('SELECT * must have a FROM clause', star.place);
}

/** A bare NULL needs a type before it goes through UNIONs and list functions. */
const outputSql = (value: Typed): string => (value.type.kind === 'NULL' ? `CAST(${value.sql} AS ${duckType(value.type)})` : value.sql);

function compileItems(compilation: Compilation, scope: Scope, select: Select): Output[] {
  return select.items.flatMap((item): Output[] => {
    if (item.kind === 'star') return expandStar(compilation, scope, item);
    const value = compileExpr(compilation, scope, item.expr);
    return [{ name: item.alias?.text ?? impliedName(item.expr) ?? '', value, expr: item.expr }];
  });
}

/** Columns without a name are f0_, f1_ … as in BigQuery; inside, equal names get different DuckDB names. */
function nameColumns(outputs: Output[]): Relation['columns'] {
  const seen = new Set<string>();
  let anonymous = 0;
  return outputs.map(({ name, value }) => {
    const shown = name || `f${anonymous++}_`;
    let duckName = shown;
    while (seen.has(duckName.toLowerCase())) duckName += '_1';
    seen.add(duckName.toLowerCase());
    return { name: shown, duckName, type: value.type, ...(name === '' && { isAnonymous: true as const }), ...(value.literal !== undefined && { literal: true as const }), ...(value.isEmptyArray && { isEmptyArray: true as const }) };
  });
}

/** Names of the select list, also those taken over from a column; a name that two outputs share means neither. */
function aliasesOf(outputs: Output[]): Map<string, Typed> {
  const aliases = new Map<string, Typed>();
  const doubled = new Set<string>();
  for (const { name, value } of outputs) {
    const key = name.toLowerCase();
    if (aliases.has(key)) doubled.add(key);
    if (key !== '') aliases.set(key, value);
  }
  for (const key of doubled) aliases.delete(key);
  return aliases;
}

function asValueTable(select: Select, outputs: Output[], columns: Relation['columns'], tail: string): Relation {
  const [first] = outputs;
  if (select.as === 'VALUE' && (outputs.length !== 1 || !first)) throw invalidQuery('SELECT AS VALUE query must have exactly one column', select.place);
  const value = select.as === 'VALUE' && first ? first.value : {
    sql: structPack(columns.map(({ duckName, type }, index) => ({ name: duckName, type, sql: outputSql((outputs[index] as Output).value) }))),
    type: structOf(columns.map((column) => ({ name: column.duckName, type: column.type }))),
  };
  // Ordinals of ORDER BY count the columns of the list, which is now one struct: the keys were compiled as expressions.
  return {
    sql: `SELECT ${select.distinct ? 'DISTINCT ' : ''}${value.sql} AS value${tail}`,
    columns: [{ name: 'value', duckName: 'value', type: value.type }], isValueTable: true,
  };
}

function compileOrder(compilation: Compilation, scope: Scope, select: Select, orderBy: OrderItem[], outputs: Output[]): string {
  if (orderBy.length === 0) return '';
  const ranked = select.distinct && orderBy.find(({ expr }) => containsWindow(expr));
  if (ranked) throw invalidQuery('Analytic function not allowed in ORDER BY clause after SELECT DISTINCT', ranked.expr.place);
  const keys = orderBy.map((item) => `${orderKey(compilation, scope, select, item.expr, outputs)} ${orderDirection(item)}`);
  return ` ORDER BY ${keys.join(', ')}`;
}

function orderKey(compilation: Compilation, scope: Scope, select: Select, expr: Expr, outputs: Output[]): string {
  const position = outputPosition(expr, outputs);
  const output = position === undefined ? undefined : outputs[position];
  if (output && position !== undefined) return select.as ? output.value.sql : String(position + 1);
  if (expr.kind === 'literal' && expr.type === 'INT64') throw invalidQuery(`ORDER BY is out of SELECT column number range: ${expr.value}`, expr.place);
  if (expr.kind === 'literal') throw invalidQuery('Cannot ORDER BY literal values', expr.place);
  const value = compileExpr(compilation, scope, expr);
  const same = outputs.findIndex((candidate) => candidate.value.sql === value.sql);
  return same >= 0 && !select.as ? String(same + 1) : value.sql;
}

function outputPosition(expr: Expr, outputs: Output[]): number | undefined {
  if (expr.kind === 'literal' && expr.type === 'INT64') {
    const position = Number(expr.value) - 1;
    return outputs[position] ? position : undefined;
  }
  if (expr.kind !== 'name' || expr.parts.length !== 1) return undefined;
  const key = expr.parts[0]?.text.toLowerCase();
  const position = outputs.findIndex(({ name }) => name.toLowerCase() === key);
  return position >= 0 ? position : undefined;
}

/** Everything that may hold an aggregate. */
function exprsOverGroups({ items, having, qualify }: Select, orderBy: OrderItem[]): Expr[] {
  const listed = items.flatMap((item) => (item.kind === 'expr' ? [item.expr] : item.base ? [item.base] : []));
  return [...listed, ...(having ? [having] : []), ...(qualify ? [qualify] : []), ...orderBy.map(({ expr }) => expr)];
}

function compileGroupBy(compilation: Compilation, scope: Scope, select: Select, orderBy: OrderItem[]): { sql: string; grouping: Grouping } | undefined {
  const { groupBy } = select;
  const exprs = select.items.flatMap((item) => (item.kind === 'expr' ? [item.expr] : []));
  const aggregates = exprsOverGroups(select, orderBy).some(containsAggregate);
  if (!groupBy) {
    if (select.having && !aggregates) throw invalidQuery('The HAVING clause requires GROUP BY or aggregation to be present', select.having.place);
    if (!aggregates) return undefined;
    return { sql: '', grouping: { sqls: new Set(), byTree: new Map() } };
  }
  const grouping: Grouping = { sqls: new Set(), byTree: new Map() };
  const add = (written: Expr): string | undefined => {
    const expr = groupedExpr(written, select);
    if (containsAggregate(expr)) throw invalidQuery(written === expr ? 'Aggregate function not allowed in GROUP BY' : `Column ${nameOf(written)} contains an aggregation function, which is not allowed in GROUP BY`, written.place);
    const value = compileExpr(compilation, { ...scope, clause: 'GROUP BY' }, expr);
    if (value.literal !== undefined && written === expr && expr.kind === 'literal') throw invalidQuery('Cannot GROUP BY literal values', written.place);
    if (value.literal !== undefined) return undefined;
    checkGroupable(value, written);
    grouping.sqls.add(value.sql);
    grouping.byTree.set(treeKey(expr, namesIn(scope)), value);
    return value.sql;
  };
  return { sql: groupBySql(groupBy, exprs, add), grouping };
}

const nameOf = (expr: Expr): string => (expr.kind === 'name' ? expr.parts.map(({ text }) => text).join('.') : expr.kind === 'literal' ? expr.value : '');

function checkGroupable({ type }: Typed, { place }: Expr): void {
  if (holdsJson(type)) throw invalidQuery(`Grouping by expressions of type ${type.kind}${type.kind === 'JSON' ? '' : ' containing JSON'} is not allowed`, place);
}

const holdsJson = (type: SqlType): boolean => type.kind === 'JSON' || (type.kind === 'ARRAY' && holdsJson(type.element)) || (type.kind === 'STRUCT' && type.fields.some((field) => holdsJson(field.type)));

type AddKey = (expr: Expr) => string | undefined;

function groupBySql(groupBy: GroupBy, exprs: Expr[], add: AddKey): string {
  if (groupBy.kind === 'sets') return ` GROUP BY ${groupBy.sets.map((set) => groupingSetSql(set, add)).join(', ')}`;
  const items = groupBy.kind === 'items' ? groupBy.items : exprs.filter((expr) => !containsAggregate(expr) && !containsWindow(expr));
  const keys = items.map(add).filter((sql) => sql !== undefined);
  if (keys.length > 0) return ` GROUP BY ${keys.join(', ')}`;
  // Grouping by constants only is one group that vanishes over no rows, unlike GROUP BY ALL without a key.
  return groupBy.kind === 'all' ? '' : " GROUP BY ('')";
}

function groupingSetSql(set: GroupingSet, add: AddKey): string {
  if (set.kind === 'nested') return `GROUPING SETS (${set.sets.map((inner) => groupingSetSql(inner, add)).join(', ')})`;
  const keys = set.items.map((group) => {
    const sqls = group.map(add).filter((sql) => sql !== undefined);
    return sqls.length === 1 ? sqls[0] : `(${sqls.join(', ')})`;
  });
  return set.kind === 'plain' ? keys.join(', ') : `${set.kind.toUpperCase()} (${keys.join(', ')})`;
}

/** GROUP BY 1 and GROUP BY alias mean the expression of the select list. */
function groupedExpr(expr: Expr, select: Select): Expr {
  if (expr.kind === 'literal' && expr.type === 'INT64') {
    const item = select.items[Number(expr.value) - 1];
    if (!item) throw invalidQuery(`GROUP BY is out of SELECT column number range: ${expr.value}`, expr.place);
    if (item.kind === 'star') throw invalidQuery('GROUP BY column number refers to a star', expr.place);
    return item.expr;
  }
  if (expr.kind !== 'name' || expr.parts.length !== 1) return expr;
  const [name] = expr.parts;
  const key = name?.text.toLowerCase();
  // Also the last part of a path is a name: SELECT device.category … GROUP BY category.
  const named = select.items.flatMap((item) => (item.kind === 'expr' && (item.alias?.text ?? impliedName(item.expr))?.toLowerCase() === key ? [item.expr] : []));
  if (named.length > 1) throw invalidQuery(`Name ${name?.text} in GROUP BY clause is ambiguous; it may refer to multiple columns in the SELECT-list`, expr.place);
  return named[0] ?? expr;
}
