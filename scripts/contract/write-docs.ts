// `npm run contract -- --write-docs`: the contract suites in, docs/contract.md and the generated parts of emulators/README.md out. test/contract/docs.test.ts
// makes the same texts again and compares, so that neither can drift.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContractCase } from '../../test/contract/contract.ts';
import { FAILURE_ROWS } from '../../test/contract/faults/failure-rows.ts';
import { INDEPENDENT, POWERS, type Implementation, type ServiceName } from '../../test/contract/implementations.ts';
import { loadSuites, type AnySuite } from '../../test/contract/suites.ts';

const TITLES: Record<ServiceName, string> = { pubsub: 'Pub/Sub', storage: 'Cloud Storage', bigquery: 'BigQuery', 'bigquery-write': 'BigQuery Storage Write API' };
/** So many cases are named beside a method; the rest is counted. */
const CASES_NAMED = 4;

export async function writeDocs(root: string): Promise<number> {
  for (const { file, text } of await renderDocs(root)) {
    writeFileSync(join(root, file), text);
    console.log(`wrote ${file}`);
  }
  return 0;
}

export async function renderDocs(root: string): Promise<{ file: string; text: string }[]> {
  const suites = await loadSuites();
  const readme = 'emulators/README.md';
  let text = readFileSync(join(root, readme), 'utf8');
  text = replacePart(text, 'services', suites.map(serviceTable).join('\n\n'));
  text = replacePart(text, 'failures', failureTable());
  return [{ file: 'docs/contract.md', text: contractPage(suites) }, { file: readme, text }];
}

/** What stands between `<!-- generated: name -->` and `<!-- end of name -->` is made anew. */
function replacePart(text: string, name: string, part: string): string {
  const begin = `<!-- generated: ${name} -->\n`;
  const end = `\n<!-- end of ${name} -->`;
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`emulators/README.md has no part ${JSON.stringify(begin.trim())} … ${JSON.stringify(end.trim())}.`);
  return `${before}${begin}${part}${end}${after}`;
}

function serviceTable({ service, surface, cases }: AnySuite): string {
  const count = (grade: string): number => surface.filter((line) => line.grade === grade).length;
  const rows = surface.map(({ method, grade, says }) => `| \`${method}\` | ${grade} | ${cell(says)} | ${namesOf(cases.filter(({ methods }) => methods.includes(method)))} |`);
  return `### ${TITLES[service]}\n\n${count('faithful')} faithful, ${count('approximate')} approximate, ${count('absent')} absent; ${cases.length} cases.\n\n| method | | | shown by |\n|---|---|---|---|\n${rows.join('\n')}`;
}

function namesOf(cases: readonly ContractCase<never>[]): string {
  const named = cases.slice(0, CASES_NAMED).map(({ name }) => `\`${name}\``).join(', ');
  return cases.length > CASES_NAMED ? `${named} and ${cases.length - CASES_NAMED} more` : named;
}

function failureTable(): string {
  const rows = FAILURE_ROWS.map(({ rows: numbers, fault, requests }) => `| ${numbers.join(', ')} | ${fault} | ${requests.map(({ path, body }) => `\`POST ${path}\` \`${JSON.stringify(body)}\``).join('<br>')} |`);
  return `| number | what goes wrong | request |\n|---|---|---|\n${rows.join('\n')}`;
}

function contractPage(suites: readonly AnySuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  return `<!-- Made by npm run contract -- --write-docs; edit test/contract instead. -->
# What Google documents, and who does it

${all.length} cases, each written against the page that it links to, and asked with Google's own clients. \`npm test\` asks them of the small Google Cloud in
\`emulators/\`; where an independent implementation is installed (\`npm run contract -- --install\`) it is asked, too; a real project only by
\`npm run contract -- --against cloud --project P\`, which nobody has done yet.

- **yes**: it does as documented.
- **differs**: it does not; the case is run there all the same and must fail, so that this table can't outlive the difference.
- **not asked**: the case must move the clock, break calls or restart the service, which can't be done there; or it would end that implementation.

${suites.map(summaryLine).join('\n')}

${suites.map(caseTable).join('\n\n')}
`;
}

const answerOf = (one: ContractCase<never>, implementation: Implementation): string => {
  const difference = one.differs?.[implementation];
  const lacking = (one.needs ?? []).filter((power) => !POWERS[implementation].includes(power));
  if (lacking.length > 0) return `not asked (${lacking.join(', ')})`;
  if (difference?.isSkipped === true) return `not asked: ${difference.reason}`;
  if (difference !== undefined) return `differs: ${difference.reason}`;
  return implementation === 'cloud' ? 'not run' : 'yes';
};

function summaryLine({ service, cases }: AnySuite): string {
  const count = (word: string): number => cases.filter((one) => answerOf(one, 'independent').startsWith(word)).length;
  return `- ${TITLES[service]}: ${cases.length} cases, all of them as documented by ours; ${INDEPENDENT[service].name} ${INDEPENDENT[service].version}: ${count('yes')} yes, ${count('differs')} differs, ${count('not asked')} not asked.`;
}

function caseTable({ service, cases }: AnySuite): string {
  const rows = cases.map((one) => `| \`${one.name}\` | ${cell(one.promise)} ([source](${one.source})) | ${answerOf(one, 'ours')} | ${cell(answerOf(one, 'independent'))} | ${cell(answerOf(one, 'cloud'))} |`);
  return `## ${TITLES[service]}\n\n| case | what is promised | ours | ${INDEPENDENT[service].name} | real project |\n|---|---|---|---|---|\n${rows.join('\n')}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
