// `npm run cost`: what a month costs, as a table with its arithmetic. Numbers and assumptions in, tables out; asks nobody anything.
import { ASSUMPTIONS, defaults, type Assumed, type AssumptionName } from './cost/assumptions.ts';
import { amountsOf, costsOf, short, totalOf } from './cost/estimate.ts';
import { arithmeticTable, assumptionTable, billTable, markdown, plain, priceTable, type Bill } from './cost/print.ts';
import { FREE, PRICES, pricesWith, type PriceName } from './cost/prices.ts';
import { readOptions, runScript, UsageError } from './local/options.ts';

const SIZES = [1e6, 1e8, 1e10];
const assumptionNames = Object.keys(ASSUMPTIONS) as AssumptionName[];

const HELP = `npm run cost -- [options]

Estimates the monthly bill in a project of your own, in US dollars: requests, CPU and memory, Pub/Sub, BigQuery writes, storage and
rollover queries, Cloud Storage, logging. Not counted: your own queries, a load balancer, instances that are kept warm, taxes.

  --events LIST      events a month, such as 1e6 or 1e6,1e8 (default ${SIZES.map((size) => size.toExponential().replace('+', '')).join(',')})
${assumptionNames.map((name) => `  --${name.padEnd(31)} ${ASSUMPTIONS[name].what} (default ${ASSUMPTIONS[name].default})`).join('\n')}
  --price NAME=DOLLARS             another price; may be given several times. Names: ${Object.keys(PRICES).join(', ')}
  --free                           less what Google gives for nothing every month
  --markdown                       as in docs/cost.md
  --help                           this text
`;

await runScript(async () => {
  const { values, positionals } = readOptions({
    events: { type: 'string' }, price: { type: 'string', multiple: true }, free: { type: 'boolean', default: false }, markdown: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    ...Object.fromEntries(assumptionNames.map((name) => [name, { type: 'string' as const }])),
  });
  if (values.help) return void process.stdout.write(HELP);
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option. --help lists those there are.`);
  const assumed = readAssumptions(values as Record<string, unknown>);
  const prices = pricesWith(readPrices(values.price ?? []));
  const sizes = values.events === undefined ? SIZES : values.events.split(',').map((text) => number('events', text, 1));
  const bills = sizes.map((events): Bill => {
    const amounts = amountsOf(events, assumed);
    return { events, lines: costsOf(amounts, prices, values.free), free: totalOf(costsOf(amounts, prices, true)) };
  });
  const [print, heading] = values.markdown ? [markdown, (text: string) => `### ${text}\n`] : [plain, (text: string) => text.toUpperCase()];
  const parts = [print(billTable(bills))];
  for (const bill of bills) parts.push(heading(`${short(bill.events)} events, step by step`), print(arithmeticTable(bill, prices)));
  parts.push(heading('What is assumed'), print(assumptionTable(assumed)), heading('Prices'), print(priceTable(prices)));
  parts.push(`What Google gives for nothing, each month and billing account: ${Object.values(FREE).map(({ words }) => words).join(', ')}.`);
  console.log(parts.join('\n\n'));
});

function readAssumptions(values: Record<string, unknown>): Assumed {
  const assumed = defaults();
  for (const name of assumptionNames) {
    const text = values[name];
    if (typeof text === 'string') assumed[name] = number(name, text, ASSUMPTIONS[name].min);
  }
  return assumed;
}

function readPrices(given: readonly string[]): Partial<Record<PriceName, number>> {
  return Object.fromEntries(given.map((text) => {
    const [name, value] = text.split('=') as [string, string | undefined];
    if (!(name in PRICES) || value === undefined) throw new UsageError(`--price is ${JSON.stringify(text)}; expected NAME=DOLLARS with one of ${Object.keys(PRICES).join(', ')}.`);
    return [name, number('price', value, 0)];
  }));
}

function number(name: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min) throw new UsageError(`--${name} is ${JSON.stringify(text)}; expected a number from ${min} on, such as 1e6.`);
  return value;
}
