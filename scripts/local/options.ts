// Command lines of the scripts: a table of options and the arguments in, values out, or a UsageError with a hint. Every script calls readOptions.
import { parseArgs, type ParseArgsConfig } from 'node:util';

export class UsageError extends Error {
  override name = 'UsageError';
}

type OptionTable = NonNullable<ParseArgsConfig['options']>;
type Read<T extends OptionTable> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>;

/** Reads the arguments; an option that is not in the table, or lacks its value, is a UsageError that names the nearest one. */
export function readOptions<T extends OptionTable>(table: T, args: string[] = process.argv.slice(2)): Read<T> {
  try {
    return parseArgs({ args, options: table, allowPositionals: true, strict: true }) as Read<T>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    const unknown = /^Unknown option '(--?[^']*)'/.exec(message)?.[1];
    throw new UsageError(unknown === undefined ? message : `There is no option ${unknown}.${hint(unknown, Object.keys(table))}`);
  }
}

/** For scripts that read their options before anything else, and take nothing but options: a wrong command line ends them with one sentence. */
export function optionsOrExit<T extends OptionTable>(table: T): Read<T>['values'] {
  try {
    const { values, positionals } = readOptions(table);
    if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option. --help lists those there are.`);
    return values;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

function hint(option: string, names: string[]): string {
  const word = option.replace(/^-+/, '');
  const [nearest] = names.map((name) => ({ name, far: distance(word, name) })).sort((a, b) => a.far - b.far);
  return nearest !== undefined && nearest.far <= Math.max(2, word.length / 3) ? ` Did you mean --${nearest.name}?` : ' --help lists those there are.';
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

export function wholeNumberOption(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) throw new UsageError(`--${name} is ${JSON.stringify(text)}; expected a whole number from ${min} to ${max}.`);
  return number;
}

/** Runs a script: errors become one sentence and an exit code (2 for a wrong command line, 1 for the rest), not a stack. */
export async function runScript(main: () => Promise<number | void>): Promise<void> {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const isExpected = error instanceof UsageError || (error as { isExpected?: boolean }).isExpected === true;
    console.error(isExpected ? (error as Error).message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** A failure that needs no stack: its message is the whole story. */
export class ExpectedError extends Error {
  override name = 'ExpectedError';
  readonly isExpected = true;
}
