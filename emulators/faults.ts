// Faults on purpose. Plans come in over the control port (or from a test); each service asks `take(method)` once per call and acts on the answer.
// Since every call passes here, the calls are counted here too.

export const FAULT_KINDS = ['fail', 'delay', 'hang', 'lose', 'duplicate', 'reorder', 'truncate', 'corrupt', 'reset'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Where a service looks for plans, and what it can do there: a plan that can never fire, or not in that way, is refused. */
export type FaultPoint = {
  /** As plans name it; one that ends with `.*` stands for every name that begins so. */
  method: string;
  kinds: readonly FaultKind[];
  /** `takes_effect` is heard. */
  takesEffect?: boolean;
  /** Names that `status` may have. */
  statuses: readonly string[];
  /** `status` may be a number from 400 to 599, too. */
  isHttp?: boolean;
  /** A place inside the work, not a call of its own: `*` does not mean it. */
  isInner?: boolean;
};

export type FaultPlan = {
  /** Name of the call as the service writes it (`Publish`, `AppendRows`, `jobs.insert`, …), or `*`. */
  method: string;
  kind: FaultKind;
  /** How many calls it meets; null: until cleared. Default 1. */
  times?: number | null;
  /** For `fail`: name of a gRPC status, or a number for HTTP services. Default UNAVAILABLE. */
  status?: string;
  /** Waits this long before it acts, whatever the kind. */
  delay_ms?: number;
  /** Lets this many matching calls pass first. Default 0. */
  after?: number;
  /** Meets every so many-th of the matching calls: 10 is ten in a hundred. Default 1. */
  every?: number;
  /** Only calls on a resource (topic, subscription, table, object, job) whose name contains this text. */
  resource?: string;
  /** For `fail` and `hang`: the call is carried out, only its answer is lost. */
  takes_effect?: boolean;
  /** For `truncate`, `corrupt` and `reset` (Cloud Storage): after so many bytes of the object's content. Default 0. */
  bytes?: number;
};

type Armed = FaultPlan & { left: number; toSkip: number; seen: number };

export class FaultPlanError extends Error {
  override name = 'FaultPlanError';
}

export class Faults {
  private armed: Armed[] = [];
  private readonly counts = new Map<string, number>();

  add(...plans: FaultPlan[]): void {
    for (const plan of plans) this.armed.push({ ...plan, left: plan.times === null ? Infinity : plan.times ?? 1, toSkip: plan.after ?? 0, seen: 0 });
  }

  /** Counts the call, and answers the first plan that meets it, spending one of its times. */
  take(method: string, resource = ''): FaultPlan | undefined {
    this.count(method);
    const index = this.armed.findIndex((plan) => {
      if (plan.method !== '*' && plan.method !== method) return false;
      if (plan.resource !== undefined && !resource.includes(plan.resource)) return false;
      if (plan.toSkip > 0) {
        plan.toSkip -= 1;
        return false;
      }
      plan.seen += 1;
      return plan.seen % (plan.every ?? 1) === 0;
    });
    const plan = this.armed[index];
    if (plan === undefined) return undefined;
    plan.left -= 1;
    if (plan.left <= 0) this.armed.splice(index, 1);
    this.count(`${method}.${plan.kind}`);
    return plan;
  }

  /** What is still to come, with the times that are left. */
  list(): FaultPlan[] {
    return this.armed.map(({ left, toSkip, seen: _, ...plan }) => ({ ...plan, times: left === Infinity ? null : left, after: toSkip }));
  }

  clear(): void {
    this.armed = [];
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  stats(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Waits as the plan says; a `hang` never comes back (its caller's connection ends it). */
export async function pauseFor(plan: FaultPlan): Promise<void> {
  if (plan.kind === 'hang') return new Promise<void>(() => {});
  if (plan.delay_ms !== undefined && plan.delay_ms > 0) await new Promise((done) => setTimeout(done, plan.delay_ms));
}

/** Reads one plan or a list of them, as the control port takes it; throws a FaultPlanError that names the problem. */
export function readFaultPlans(body: unknown): FaultPlan[] {
  return (Array.isArray(body) ? body : [body]).map(readFaultPlan);
}

const WHOLE_NUMBERS = ['times', 'delay_ms', 'after', 'every', 'bytes'] as const;
const TEXTS = ['status', 'resource'] as const;
const FIELDS = new Set<string>(['method', 'kind', 'takes_effect', ...TEXTS, ...WHOLE_NUMBERS]);

function readFaultPlan(value: unknown): FaultPlan {
  if (typeof value !== 'object' || value === null) throw new FaultPlanError('A fault plan is an object with method and kind.');
  const plan = value as Record<string, unknown>;
  if (typeof plan['method'] !== 'string' || plan['method'] === '') throw new FaultPlanError('method must name a call, or be "*".');
  if (!FAULT_KINDS.includes(plan['kind'] as FaultKind)) throw new FaultPlanError(`kind must be one of ${FAULT_KINDS.join(', ')}.`);
  for (const name of TEXTS) if (plan[name] !== undefined && (typeof plan[name] !== 'string' || plan[name] === '')) throw new FaultPlanError(`${name} must be a text.`);
  if (plan['takes_effect'] !== undefined && typeof plan['takes_effect'] !== 'boolean') throw new FaultPlanError('takes_effect must be true or false.');
  for (const name of WHOLE_NUMBERS) {
    const number = plan[name];
    if (number === undefined || (name === 'times' && number === null)) continue;
    if (!Number.isInteger(number) || (number as number) < (name === 'times' || name === 'every' ? 1 : 0)) throw new FaultPlanError(`${name} must be a whole number.`);
  }
  const unknown = Object.keys(plan).filter((name) => !FIELDS.has(name));
  if (unknown.length > 0) throw new FaultPlanError(`Unknown field ${unknown.join(', ')}; known: ${[...FIELDS].join(', ')}.`);
  return plan as FaultPlan;
}

/** Throws when no call of the service would ever meet the plan, or would not do what it says. */
export function refuseDeadPlan(plan: FaultPlan, points: readonly FaultPoint[]): void {
  const met = plan.method === '*' ? points.filter(({ isInner }) => isInner !== true) : points.filter((point) => isNamed(point, plan.method));
  if (met.length === 0) throw new FaultPlanError(`No call here is named ${JSON.stringify(plan.method)}; there are ${points.map(({ method }) => method).join(', ')}, and * for all.`);
  const able = met.filter(({ kinds }) => kinds.includes(plan.kind));
  if (able.length < met.length) throw new FaultPlanError(`${plan.method} can't ${plan.kind}; it can ${FAULT_KINDS.filter((kind) => met.every(({ kinds }) => kinds.includes(kind))).join(', ')}.`);
  if (plan.takes_effect === true && !((plan.kind === 'fail' || plan.kind === 'hang') && met.every(({ takesEffect }) => takesEffect === true))) throw new FaultPlanError(`takes_effect is not known for ${plan.kind} of ${plan.method}.`);
  if (plan.kind === 'delay' && !plan.delay_ms) throw new FaultPlanError('A delay needs delay_ms.');
  if (plan.status === undefined) return;
  if (plan.kind !== 'fail') throw new FaultPlanError('status is for the kind fail.');
  const deaf = met.find((point) => !point.statuses.includes(plan.status!) && !(point.isHttp === true && /^[45]\d\d$/.test(plan.status!)));
  if (deaf !== undefined) throw new FaultPlanError(`${deaf.method} can't fail with ${JSON.stringify(plan.status)}; it can with ${deaf.statuses.join(', ')}${deaf.isHttp === true ? ', and the numbers from 400 to 599' : ''}.`);
}

function isNamed(point: FaultPoint, method: string): boolean {
  return point.method.endsWith('.*') ? method.startsWith(point.method.slice(0, -1)) && method.length >= point.method.length : point.method === method;
}
