// `*`, `t.*` and `struct.*` with EXCEPT and REPLACE in, the columns they stand for out; called by the SELECT compiler.
import { structField } from './coerce.ts';
import type { Compilation } from './compilation.ts';
import { compileExpr } from './compile-expression.ts';
import { invalidQuery } from './google-sql-error.ts';
import { duckFieldName, typeName } from './sql-type.ts';
import type { Scope, Source, Typed } from './scope.ts';
import type { SelectItem } from './tree.ts';

type Star = Extract<SelectItem, { kind: 'star' }>;
type Output = { name: string; value: Typed };

export function expandStar(compilation: Compilation, scope: Scope, star: Star): Output[] {
  let outputs = star.base ? starOfBase(compilation, scope, star) : scope.sources.flatMap((source) => columnsOf(source, false));
  if (!star.base && scope.sources.length === 0) throw invalidQuery('SELECT * must have a FROM clause', star.place);
  for (const { text, place } of star.except) {
    if (!outputs.some(({ name }) => name.toLowerCase() === text.toLowerCase())) throw invalidQuery(`Column ${text} in SELECT * EXCEPT list does not exist`, place);
    outputs = outputs.filter(({ name }) => name.toLowerCase() !== text.toLowerCase());
  }
  if (outputs.length === 0) throw invalidQuery(`SELECT ${star.base ? '.*' : '*'} expands to zero columns${star.except.length > 0 ? ' after applying EXCEPT' : ''}`, star.place);
  for (const { expr, name } of star.replace) {
    const index = outputs.findIndex((output) => output.name.toLowerCase() === name.text.toLowerCase());
    if (index < 0) throw invalidQuery(`Column ${name.text} in SELECT * REPLACE list does not exist`, name.place);
    outputs = outputs.with(index, { name: outputs[index]?.name ?? name.text, value: compileExpr(compilation, scope, expr) });
  }
  for (const { name, to } of star.rename ?? []) {
    const index = outputs.findIndex((output) => output.name.toLowerCase() === name.text.toLowerCase());
    const found = outputs[index];
    if (!found) throw invalidQuery(`Column ${name.text} in RENAME does not exist`, name.place);
    outputs = outputs.with(index, { ...found, name: to.text });
  }
  // The names inside an expression were checked while it was compiled.
  if (scope.grouping && isOfSource(scope, star)) {
    const loose = outputs.find(({ value }) => !scope.grouping?.sqls.has(value.sql));
    if (loose) throw invalidQuery(`Star expansion expression references column ${loose.name} which is neither grouped nor aggregated`, star.place);
  }
  return outputs;
}

function columnsOf(source: Source, qualified: boolean): Output[] {
  const columns = source.columns.filter(({ hidden, onlyQualified }) => !hidden && (qualified || !onlyQualified));
  if (source.isElement && source.value && source.value.type.kind !== 'STRUCT') {
    return [{ name: source.alias ?? '', value: source.value }, ...columns.map(({ name, sql, type }) => ({ name, value: { sql, type } }))];
  }
  return columns.map(({ name, sql, type }) => ({ name, value: { sql, type } }));
}

function isOfSource(scope: Scope, { base }: Star): boolean {
  if (!base) return true;
  const key = base.kind === 'name' && base.parts.length === 1 ? base.parts[0]?.text.toLowerCase() : undefined;
  return key !== undefined && scope.sources.some(({ alias }) => alias?.toLowerCase() === key);
}

function starOfBase(compilation: Compilation, scope: Scope, star: Star): Output[] {
  const { base } = star;
  if (base?.kind === 'name' && base.parts.length === 1) {
    const key = base.parts[0]?.text.toLowerCase();
    const source = scope.sources.find(({ alias }) => alias?.toLowerCase() === key);
    if (source && (!source.isElement || source.value?.type.kind === 'STRUCT')) return columnsOf(source, true);
  }
  const value = base && compileExpr(compilation, scope, base);
  if (value?.type.kind !== 'STRUCT') throw invalidQuery(`Dot-star is not supported for type ${value ? typeName(value.type) : ''}`, star.place);
  return value.type.fields.map((field, index) => ({ name: field.name, value: value.parts?.[index] ?? { sql: structField(value.sql, duckFieldName(field, index)), type: field.type } }));
}
