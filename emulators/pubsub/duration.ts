// google.protobuf.Duration and Timestamp as proto-loader gives them, and milliseconds.

export type Duration = { seconds?: string; nanos?: number };

const SECOND_MS = 1_000;

export const durationMs = (duration: Duration): number => Number(duration.seconds ?? 0) * SECOND_MS + (duration.nanos ?? 0) / 1_000_000;

export function durationOf(ms: number): Duration {
  const seconds = Math.floor(ms / SECOND_MS);
  return { seconds: String(seconds), nanos: Math.round((ms - seconds * SECOND_MS) * 1_000_000) };
}
