// A vitest reporter: of the contract cases that ran, how many did as Google documents, by service and implementation; with CONTRACT_TABLE=full
// a line for each case. vitest.config.ts puts it before the closing line.
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const FILE = /contract\/([\w-]+)\/(ours|independent|cloud)\.test\.ts$/;
const MARKS = { passed: 'as documented', differs: 'differs, with a reason', 'not asked': 'not asked', failed: 'FAILED' } as const;
type Mark = keyof typeof MARKS;
type Row = { service: string; implementation: string; counts: Record<Mark, number>; cases: { name: string; mark: Mark; reason: string | undefined }[]; absent?: string };

export default class ContractTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) => rowOf(module) ?? []).sort((a, b) => a.service.localeCompare(b.service) || b.implementation.localeCompare(a.implementation));
    if (rows.length === 0) return;
    const text = `${process.env['CONTRACT_TABLE'] === 'full' ? fullTable(rows) : ''}${compactTable(rows)}`;
    // After the default reporter's own summary, which is printed on the same event.
    process.on('exit', () => process.stdout.write(text));
  }
}

function rowOf(module: TestModule): Row | undefined {
  const [, service, implementation] = FILE.exec(module.moduleId) ?? [];
  if (service === undefined || implementation === undefined) return undefined;
  const row: Row = { service, implementation, counts: { passed: 0, differs: 0, 'not asked': 0, failed: 0 }, cases: [] };
  const tests = [...module.children.allTests()];
  const first = tests[0];
  if (first !== undefined && tests.every((test) => test.result().state === 'skipped' && test.meta().contract === undefined)) {
    return { ...row, absent: /\((.*)\)$/.exec(first.parent.type === 'suite' ? first.parent.name : '')?.[1] ?? 'not run' };
  }
  if (tests.length === 0) row.counts.failed = 1;
  for (const test of tests) {
    const one = { name: test.name.split(': ')[0]!, mark: markOf(test), reason: test.meta().contract?.reason };
    row.counts[one.mark] += 1;
    row.cases.push(one);
  }
  return row;
}

function markOf(test: TestCase): Mark {
  const { state } = test.result();
  if (state === 'failed') return 'failed';
  return test.meta().contract?.outcome ?? (state === 'passed' ? 'passed' : 'not asked');
}

function compactTable(rows: readonly Row[]): string {
  const header = ['service', 'implementation', ...Object.values(MARKS)];
  const lines = rows.map(({ service, implementation, counts, absent }) => [service, implementation, ...(absent === undefined ? Object.keys(MARKS).map((mark) => String(counts[mark as Mark])) : [absent])]);
  const widths = header.map((title, column) => Math.max(title.length, ...lines.filter((line) => line.length === header.length).map((line) => line[column]!.length), ...(column < 2 ? lines.map((line) => line[column]!.length) : [])));
  const print = (cells: readonly string[]): string => ` ${cells.map((cell, column) => (column < 2 || cells.length < header.length ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ')}`.trimEnd();
  return `\nContract cases\n${[header, ...lines].map(print).join('\n')}\n`;
}

function fullTable(rows: readonly Row[]): string {
  return rows.map(({ service, implementation, cases, absent }) => {
    const lines = cases.filter(() => absent === undefined).map(({ name, mark, reason }) => `   ${MARKS[mark].padEnd(22)}  ${name}${reason === undefined ? '' : `  (${reason})`}`);
    return `\n${service}, ${implementation}\n${lines.join('\n')}\n`;
  }).join('');
}
