// What a person is told when the local run is ready: addresses, and lines that work when pasted. scripts/start.ts prints it.
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { LocalRun } from './local-run.ts';

/** Single quotes, since the shell would run what stands between backticks inside double ones. */
export const QUERY_LINE = "npm run query -- 'SELECT event_name, COUNT(*) AS events, COUNT(DISTINCT user_pseudo_id) AS users FROM `events_*` GROUP BY event_name ORDER BY events DESC'";

/** A request with one event of now; pasted twice it is still one row in the daily table, since its id is the same. */
export function curlLine(run: Pick<LocalRun, 'collector_url' | 'write_key'>, nowMs: number): string {
  const body = {
    user_pseudo_id: 'my-phone', platform: 'ANDROID',
    events: [{ event_id: randomUUID(), event_name: 'purchase', event_timestamp: Math.floor(nowMs) * 1_000, event_params: { currency: 'USD', value: 12.5 } }],
  };
  return `curl -sS ${run.collector_url}/v1/events -H 'Authorization: Bearer ${run.write_key}' -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}

export function summary(run: LocalRun, nowMs: number, notes: { seconds: number; isClockMoved: boolean; isOpen: boolean }): string {
  return `
Chiplog is ready (${notes.seconds.toFixed(1)} s).

  Collector     ${run.collector_url}${notes.isOpen ? `\n  From outside  ${outsideUrls(run.collector_url).join(', ')}` : ''}
  Write key     ${run.write_key}   (sources: ${run.sources_file}, read again when you change it)
  Control       ${run.control_url}   (faults, time, kills; curl it to see how)
  Data          ${run.data_dir}   (kept; npm start -- --fresh begins anew)
  Local clock   ${new Date(nowMs).toISOString()}${notes.isClockMoved ? '   (moved)' : ''}, days end at midnight in ${run.time_zone}

Send an event:
  ${curlLine(run, nowMs)}

Query it a second later, in BigQuery's SQL:
  ${QUERY_LINE}

More phones:                                     npm run send
End the day, see the daily table being made:     npm run tomorrow

Ctrl-C ends it. Your data stays.
`;
}

/** The collector's address as other machines of the network see it. */
const outsideUrls = (url: string): string[] => Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  .filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => url.replace(/\/\/[^:]+:/, `//${address}:`));
