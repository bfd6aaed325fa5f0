// A glob of objects.list (`matchGlob`) -> a test of names. `*` and `?` stop at slashes, `**` does not; `[a-c]`, `[!a]` and `{one,two}` as in a shell.
import { invalid } from './refusal.ts';

export function globTest(glob: string): (name: string) => boolean {
  let pattern = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at += 1) {
    const sign = glob[at]!;
    if (sign === '*') {
      const isDeep = glob[at + 1] === '*';
      if (isDeep) at += 1;
      // `**/` also stands for nothing, so that `a/**/b` finds `a/b`.
      const isFolders = isDeep && glob[at + 1] === '/' && (pattern === '' || pattern.endsWith('/'));
      if (isFolders) at += 1;
      pattern += isFolders ? '(?:.*/)?' : isDeep ? '.*' : '[^/]*';
    } else if (sign === '?') pattern += '[^/]';
    else if (sign === '[') {
      const end = glob.indexOf(']', at + 2);
      if (end < 0) throw invalid(`Invalid glob: ${glob}`, 'matchGlob');
      const set = glob.slice(at + 1, end);
      const isNot = set.startsWith('!') || set.startsWith('^');
      pattern += `[${isNot ? '^' : ''}${(isNot ? set.slice(1) : set).replace(/[\\\]^]/g, '\\$&')}]`;
      at = end;
    } else if (sign === '{') {
      depth += 1;
      pattern += '(?:';
    } else if (sign === '}' && depth > 0) {
      depth -= 1;
      pattern += ')';
    } else if (sign === ',' && depth > 0) pattern += '|';
    else if (sign === '\\' && at + 1 < glob.length) pattern += escaped(glob[at += 1]!);
    else pattern += escaped(sign);
  }
  if (depth > 0) throw invalid(`Invalid glob: ${glob}`, 'matchGlob');
  const test = new RegExp(`^${pattern}$`, 'su');
  return (name) => test.test(name);
}

const escaped = (sign: string): string => sign.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
