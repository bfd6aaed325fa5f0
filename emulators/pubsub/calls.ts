// What all gRPC calls share: how one is run under a fault plan, what a page of a list is. The calls themselves: publisher-calls.ts,
// subscriber-calls.ts, message-calls.ts, snapshot-calls.ts. server.ts registers them.
import { pauseFor, type FaultKind, type Faults } from '../faults.ts';
import { invalid, refusalByName } from './refusal.ts';

export type Request = Record<string, unknown>;
/** `fault`: what a plan wants of this call beyond waiting and failing, which are done before; `bytes`: length of the request as it came. */
export type Call = (request: never, context: { fault: FaultKind | undefined; bytes: number }) => Promise<unknown>;

const PAGE_SIZE = { default: 100, max: 1_000 };

/** Runs a call under the fault plan that meets it, if one does. */
export async function underFaults(faults: Faults, method: string, resource: string, run: (fault: FaultKind | undefined) => Promise<unknown>): Promise<unknown> {
  const plan = faults.take(method, resource);
  if (plan === undefined) return run(undefined);
  const isAnswerLost = plan.kind === 'fail' || plan.kind === 'hang';
  if (isAnswerLost && plan.takes_effect) await run(undefined);
  await pauseFor(plan);
  if (plan.kind === 'fail') throw refusalByName(plan.status ?? 'UNAVAILABLE');
  return run(plan.kind);
}

export type PageRequest = { page_size?: number; page_token?: string };

/** One page by name; the token holds the name of the page's last item. */
export function pageOf<T extends { name: string }>(items: readonly T[], { page_size: size = 0, page_token: token = '' }: PageRequest): { items: T[]; next: string } {
  if (size < 0) throw invalid(`The value for page_size is too small. You passed ${size} in the request, but the minimum value is 0.`);
  const after = Buffer.from(token, 'base64url').toString('utf8');
  if (token !== '' && (!after.startsWith('projects/') || tokenOf(after) !== token)) throw invalid(`Invalid page token (page_token=${token}).`);
  const sorted = items.toSorted((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => name > after);
  const page = sorted.slice(0, size > 0 ? Math.min(size, PAGE_SIZE.max) : PAGE_SIZE.default);
  return { items: page, next: sorted.length > page.length ? tokenOf(page.at(-1)!.name) : '' };
}

const tokenOf = (name: string): string => Buffer.from(name).toString('base64url');

/** The beginning of the names of what a project has. */
export function prefixOf(project: string | undefined): string {
  if (!/^projects\/[^/]+$/.test(project ?? '')) throw invalid(`Invalid [projects] name: (name=${project ?? ''})`);
  return `${project}/`;
}
