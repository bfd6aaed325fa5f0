// The bill as text: in go costed lines for one or more sizes, out come tables for a terminal or for docs/cost.md. Called by scripts/cost.ts.
import { ASSUMPTIONS, type Assumed, type AssumptionName } from './assumptions.ts';
import { short, totalOf, type CostedLine } from './estimate.ts';
import type { Price, PriceName } from './prices.ts';

export type Bill = { events: number; lines: CostedLine[]; free: number };

export function dollars(amount: number): string {
  if (amount > 0 && amount < 0.005) return '< $0.01';
  return `$${amount.toLocaleString('en-US', amount < 100 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumFractionDigits: 0 })}`;
}

/** Rows as the terminal or Markdown shows them. */
type Table = { head: string[]; rows: string[][] };

/** One row an item, a column for each number of events, and the totals. */
export function billTable(bills: readonly Bill[]): Table {
  const rows = bills[0]!.lines.map(({ group, item }, index) => [group, item, ...bills.map(({ lines }) => dollars(lines[index]!.dollars))]);
  return {
    head: ['', '', ...bills.map(({ events }) => `${short(events)} events`)],
    rows: [
      ...rows, ['Total a month', '', ...bills.map(({ lines }) => dollars(totalOf(lines)))],
      ['the same for a million events', '', ...bills.map(({ events, lines }) => dollars(totalOf(lines) / events * 1e6))],
      ['Total less what Google gives for nothing', '', ...bills.map(({ free }) => dollars(free))],
    ],
  };
}

/** Amount times price, and where the amount comes from. */
export function arithmeticTable({ lines }: Bill, prices: Record<PriceName, Price>): Table {
  return {
    head: ['', 'amount', 'price', 'dollars', 'where the amount comes from'],
    rows: lines.map(({ group, item, price, amount, how, dollars: cost }) => [`${group}: ${item}`, short(amount / prices[price].units), `$${prices[price].dollars} a ${prices[price].unit}`, dollars(cost), how]),
  };
}

export function priceTable(prices: Record<PriceName, Price>): Table {
  return { head: ['price', 'dollars', 'of', 'where', 'read', 'source'], rows: Object.entries(prices).map(([name, price]) => [`\`${name}\``, String(price.dollars), price.unit, price.where, price.date, price.source]) };
}

export function assumptionTable(assumed: Assumed): Table {
  return { head: ['option', 'value', 'what it is', 'from'], rows: Object.entries(ASSUMPTIONS).map(([name, { what, from }]) => [`\`--${name}\``, String(assumed[name as AssumptionName]), what, from]) };
}

export function markdown({ head, rows }: Table): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function plain({ head, rows }: Table): string {
  const all = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('`', '')));
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  return all.map((cells) => cells.map((cell, column) => (/^(< )?\$[\d,.]+$/.test(cell) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd()).join('\n');
}
