// Each trap that loses data, opens a door or goes unnoticed: infra/ has none, and each edit that would make one is seen. The edits are
// made in a copy of the text, so a rule that finds nothing fails here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { INFRA, plan } from './hcl/plan.ts';
import type { Plan } from './hcl/plan.ts';
import { readSources } from './hcl/parse.ts';
import type { Sources } from './hcl/parse.ts';
import { ACCESS_TRAPS } from './traps/access.ts';
import { AGREEMENT_TRAPS } from './traps/agreement.ts';
import { DATA_TRAPS } from './traps/data.ts';
import { FUNCTION_TRAPS } from './traps/functions.ts';
import { MESSAGE_TRAPS } from './traps/messages.ts';
import { OPTION_TRAPS } from './traps/options.ts';
import type { Damage } from './traps/trap.ts';
import { WATCHING_TRAPS } from './traps/watching.ts';

const sources = readSources(INFRA);
const example = (name: string): string => readFileSync(join(INFRA, 'examples', `${name}.tfvars`), 'utf8');
const small = example('small');
const variables = [small, example('big'), small.replace('collector_is_public = true', 'collector_is_public = false')];

/** A plan that was refused would have none of anything, and every trap would be "seen". */
function planned(text: Sources, given: string): Plan {
  const made = plan(text, given, INFRA);
  expect(made.refused).toEqual([]);
  return made;
}

const asTheyAre = variables.map((given) => planned(sources, given));

function damaged({ file, from, to }: Damage): Sources {
  const text = sources[file];
  expect(text, file).toBeDefined();
  expect(text!.split(from).length - 1, `${file} holds once:\n${from}`).toBe(1);
  return { ...sources, [file]: text!.replace(from, () => to) };
}

const TRAPS = [...MESSAGE_TRAPS, ...FUNCTION_TRAPS, ...DATA_TRAPS, ...ACCESS_TRAPS, ...WATCHING_TRAPS, ...AGREEMENT_TRAPS, ...OPTION_TRAPS];

test('every trap has a name of its own and at least one edit that makes it', () => {
  expect(new Set(TRAPS.map(({ name }) => name)).size).toBe(TRAPS.length);
  expect(TRAPS.filter(({ damages }) => damages.length === 0)).toEqual([]);
});

describe.each(TRAPS)('trap: $name', (trap) => {
  test('infra/ is not in it', () => {
    expect(asTheyAre.flatMap((made) => trap.finds(made))).toEqual([]);
  });
  test.each(trap.damages.map((one) => [`${one.file}: ${label(one)}`, one] as const))('is seen after the edit %s', (_label, one) => {
    const text = damaged(one);
    expect(variables.some((given) => trap.finds(planned(text, given)).length > 0)).toBe(true);
  });
});

/** What the edit changes, in a line. */
function label({ from, to }: Damage): string {
  const before = from.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const after = new Set(to.split('\n').map((line) => line.trim()));
  const gone = before.filter((line) => !after.has(line));
  const come = [...after].filter((line) => line !== '' && !before.includes(line));
  return `- ${gone.slice(0, 2).join(' … ').slice(0, 90)}${come.length === 0 ? '' : ` + ${come[0]!.slice(0, 90)}`}`;
}
