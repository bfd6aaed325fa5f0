// A tiny Cloud Scheduler: jobs and a clock in, POSTs out. scripts/start.ts runs it; it fires at whole multiples of each job's interval,
// as a cron line does, and at once when the clock was moved over one. A job never overlaps itself.

export type ScheduledJob = {
  name: string;
  everySeconds: number;
  url: string;
  /** Sent as JSON; absent: an empty body, as Cloud Scheduler sends. */
  body?: unknown;
  /** Tries after the first one that failed (anything but 2xx). Default 3. */
  retriesMax?: number;
  /** Cloud Scheduler's attempt_deadline; default 180 s. */
  attemptTimeoutMs?: number;
};

export type SchedulerOptions = {
  jobs: ScheduledJob[];
  /** Milliseconds since 1970 on the steered clock. */
  now: () => number;
  post?: (job: ScheduledJob, signal: AbortSignal) => Promise<number>;
  /** Told about each attempt; status 0: no answer. */
  onAttempt?: (job: ScheduledJob, status: number) => void;
  /** How often the clock is looked at. */
  tickMs?: number;
  /** First wait between tries; doubles. */
  retryMs?: number;
};

export type Scheduler = {
  /** Fires a job now, outside its hours; waits for its end. Joins a run that is under way. */
  runNow(name: string): Promise<number>;
  close(): Promise<void>;
};

type State = { job: ScheduledJob; slot: number; running: Promise<number> | undefined };

export function startScheduler(options: SchedulerOptions): Scheduler {
  const { now, tickMs = 200, retryMs = 1_000, post = postJob, onAttempt = () => {} } = options;
  const ending = new AbortController();
  const slotOf = (job: ScheduledJob): number => Math.floor(now() / (job.everySeconds * 1_000));
  const states: State[] = options.jobs.map((job) => ({ job, slot: slotOf(job), running: undefined }));

  const attempt = async (job: ScheduledJob): Promise<number> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(job.attemptTimeoutMs ?? 180_000)]);
    const status = await post(job, signal).catch(() => 0);
    if (!ending.signal.aborted) onAttempt(job, status);
    return status;
  };
  const run = async (job: ScheduledJob): Promise<number> => {
    for (let tries = 0; ; tries += 1) {
      const status = await attempt(job);
      if ((status >= 200 && status < 300) || tries >= (job.retriesMax ?? 3) || ending.signal.aborted) return status;
      await wait(retryMs * 2 ** tries, ending.signal);
    }
  };
  const fire = (state: State): Promise<number> => {
    state.running ??= run(state.job).finally(() => { state.running = undefined; });
    return state.running;
  };

  const timer = setInterval(() => {
    for (const state of states) {
      // While a job runs its slot is kept, so that the hour it missed is made up for once, when it has ended.
      if (state.running !== undefined) continue;
      const slot = slotOf(state.job);
      const isDue = slot > state.slot;
      state.slot = slot; // also when the clock went back: the next border counts from there
      if (isDue) void fire(state);
    }
  }, tickMs);

  return {
    async runNow(name) {
      const state = states.find(({ job }) => job.name === name);
      if (state === undefined) throw new Error(`No job ${name}; there are ${states.map(({ job }) => job.name).join(', ')}.`);
      return fire(state);
    },
    async close() {
      clearInterval(timer);
      ending.abort();
      await Promise.all(states.map(({ running }) => running));
    },
  };
}

async function postJob(job: ScheduledJob, signal: AbortSignal): Promise<number> {
  const response = await fetch(job.url, {
    method: 'POST', signal,
    headers: { 'user-agent': 'Google-Cloud-Scheduler', 'x-cloudscheduler': 'true', 'x-cloudscheduler-jobname': job.name, 'content-type': job.body === undefined ? 'application/octet-stream' : 'application/json' },
    ...(job.body === undefined ? {} : { body: JSON.stringify(job.body) }),
  });
  await response.arrayBuffer();
  return response.status;
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
  });
}
