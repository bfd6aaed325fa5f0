// One JSON object a line on stdout, as Cloud Logging reads it. User data is nested under `data`, bounded, never merged into
// the entry, so that no client can set a severity or a trace. Bodies and write keys are never logged.
import type { Fault } from './errors.ts';

export type Severity = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
export type Log = (severity: Severity, message: string, data?: Record<string, unknown>) => void;

const DATA_LENGTH_MAX = 8_192;

export const severityOf: Record<Fault, Severity> = { sender: 'INFO', upstream: 'WARNING', operator: 'ERROR', bug: 'ERROR' };

/** A log for one function; `write` is given by tests. */
export function createLog(functionName: string, write: (line: string) => void = (line) => process.stdout.write(line)): Log {
  return (severity, message, data) => {
    const entry = { severity, message, function: functionName, time: new Date().toISOString() };
    let text = JSON.stringify(data === undefined ? entry : { ...entry, data: plain(data) });
    if (text.length > DATA_LENGTH_MAX) text = JSON.stringify({ ...entry, message: message.slice(0, 1_024), data: { cut: true } });
    write(`${text}\n`);
  };
}

/** Errors become `{name, message, stack}`; everything else is left as it is. */
function plain(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) =>
    [key, value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value]));
}
