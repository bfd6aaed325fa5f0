// What a trap is: a mistake in infra/ that loses data, opens a door or goes unnoticed; how it is seen in a plan; and the edits that
// would make it. The lists are in the files beside this one, traps.test.ts runs them.
import type { Plan, Resource } from '../hcl/plan.ts';

/** An edit of one file: the text that is replaced must be there exactly once. */
export type Damage = { file: string; from: string; to: string };
export type Trap = {
  name: string;
  /** What would happen. */
  why: string;
  /** A line for each place where the plan has the mistake. */
  finds: (plan: Plan) => string[];
  damages: Damage[];
};

export const damage = (file: string, from: string, to = ''): Damage => ({ file, from, to });

export const of = ({ resources }: Plan, ...types: string[]): Resource[] => resources.filter(({ type }) => types.includes(type));

/** Addresses of those for which it does not hold. */
export const unless = (resources: Resource[], holds: (resource: Resource) => boolean): string[] => resources.filter((one) => !holds(one)).map(({ file, line, address }) => `${file}:${line}: ${address}`);

export const functionNamed = (plan: Plan, name: string): Resource => {
  const found = of(plan, 'google_cloudfunctions2_function').find(({ key }) => key === name);
  if (found === undefined) throw new Error(`There is no function ${name}.`);
  return found;
};

export const serviceOf = (resource: Resource): Record<string, any> => resource.values['service_config'][0];

export const pushes = (plan: Plan): Resource[] => of(plan, 'google_pubsub_subscription').filter(({ values }) => values['push_config'] !== undefined);

/** "604800s" as seconds. */
export const seconds = (text: unknown): number => (typeof text === 'string' && /^\d+s$/.test(text) ? Number(text.slice(0, -1)) : NaN);
