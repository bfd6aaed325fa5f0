// A CPU profile of a start to the share of each part: in goes the text of a .cpuprofile, out come milliseconds by part. Called by cold-start.ts.

type Profile = {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
};
export type StartTimes = { part: string; milliseconds: number; share: number }[];

/** From special to general: a sample belongs to the first part that any frame of its stack is in. */
const PARTS: readonly (readonly [string, (name: string, url: string) => boolean])[] = [
  ['waiting', (name) => name === '(idle)'],
  ['collecting garbage', (name) => name === '(garbage collector)'],
  ['gRPC definitions from protos.json', (name) => name === 'loadProtoJSON'],
  ['reading and compiling files', (name) => name === 'wrapSafe' || name === 'loadSource' || name === 'readFileSync'],
  ['modules of Node', (name, url) => name === 'compileForPublicLoader' || url.startsWith('node:internal/bootstrap')],
  ['the function and Google\'s clients', (_name, url) => url.endsWith('/function.cjs')],
  ['functions-framework', (_name, url) => url.endsWith('/framework.js')],
];
const REST = 'Node before and around it';

export function timesOf(text: string): StartTimes {
  const { nodes, samples, timeDeltas } = JSON.parse(text) as Profile;
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const stackOf = (id: number): { functionName: string; url: string }[] => {
    const stack = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.push(frames.get(at)!);
    return stack;
  };
  const partOfNode = new Map(nodes.map(({ id }) => {
    const stack = stackOf(id);
    return [id, PARTS.find(([, isIn]) => stack.some(({ functionName, url }) => isIn(functionName, url)))?.[0] ?? REST];
  }));
  const times = new Map<string, number>();
  samples.forEach((id, index) => { const part = partOfNode.get(id)!; times.set(part, (times.get(part) ?? 0) + timeDeltas[index]! / 1_000); });
  times.delete('waiting');
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  return [...times].sort((a, b) => b[1] - a[1]).map(([part, ms]) => ({ part, milliseconds: Math.round(ms), share: Number((ms / total).toFixed(2)) }));
}
