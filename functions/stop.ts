// What a function does between SIGTERM and its end: in goes what to finish, out comes whether it is stopping. Called by every
// function.ts that holds work of its own. functions-framework answers only the latest response and exits; so its listeners are replaced.

/** Cloud Run sends SIGKILL ten seconds after SIGTERM. */
const STOP_MS_MAX = 8_000;

export type Stopping = {
  /** To be called at the start of every request: the framework adds its listeners after loading the function, before the first request. */
  watch(): void;
  /** True from SIGTERM on: new work is answered 503. */
  isStopping(): boolean;
};

/** `finish` resolves when nothing is under way any more. */
export function stopGently(finish: () => Promise<unknown>): Stopping {
  let watching = false;
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    const deadline = setTimeout(() => process.exit(0), STOP_MS_MAX);
    finish().catch(() => undefined).finally(() => {
      clearTimeout(deadline);
      // Answers that were just written leave the process in the next turns of the event loop.
      setTimeout(() => process.exit(0), 100);
    });
  };
  return {
    watch() {
      if (watching) return;
      watching = true;
      takeSignals(stop);
    },
    isStopping: () => stopping,
  };
}

/** Takes SIGTERM and SIGINT from whoever has them: the framework's own listeners end the process at once. */
export function takeSignals(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
}
