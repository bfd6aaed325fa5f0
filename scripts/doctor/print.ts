// An examination as a person reads it: in go findings, out comes text. Called by scripts/doctor.ts.
import type { Examination, Finding } from './finding.ts';

/** Twenty tables that lack the same column are one trouble. */
const ALIKE_MAX = 5;

export function printed(name: string, { checks, findings, not_made: notMade, not_here: notHere }: Examination): string {
  const made = checks - notMade.length - notHere.length;
  const parts: string[] = [];
  for (const alike of groups(findings)) {
    for (const { kind, where, what, why, cure } of alike.slice(0, ALIKE_MAX)) parts.push(`✗ ${where}: ${what} (${kind})\n    ${why}\n    $ ${cure}`);
    if (alike.length > ALIKE_MAX) parts.push(`  … and ${alike.length - ALIKE_MAX} more of the kind ${alike[0]!.kind}; --json lists them.`);
  }
  for (const { check, because } of notMade) parts.push(`? ${check}: could not be checked: ${because}`);
  if (notHere.length > 0) parts.push(`- Not checked here, since only a real project has it: ${notHere.map(({ check }) => check).join(', ')}.`);
  parts.push(`${made} checks of ${name}: ${findings.length === 0 ? 'nothing found' : `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`}${notMade.length === 0 ? '' : `, and ${notMade.length} that could not be made`}.`);
  return parts.join('\n');
}

function groups(findings: readonly Finding[]): Finding[][] {
  return [...Map.groupBy(findings, ({ kind }) => kind).values()];
}
