// The JSON of a replay request in, the typed request out, or what is wrong with it. Called by function.ts. Pure.
import { ingestError } from '../errors.ts';
import { accepted, rejected } from '../outcome.ts';
import type { Outcome } from '../outcome.ts';
import type { ReplayRequest } from './run.ts';

export function readReplayRequest(body: Buffer): Outcome<ReplayRequest> {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(body.toString() || '{}') as Record<string, unknown>;
  } catch (error) {
    return rejected(ingestError('invalid_json', { reason: (error as Error).message }));
  }
  const { stream, from, to = from, store = 'raw', dry_run: dryRun = false, date_by_receipt: dateByReceipt = false } = fields;
  const wrong = (name: string, expected: string): Outcome<never> => rejected(ingestError('setting_invalid', { name, value: JSON.stringify(fields[name]) ?? 'absent', expected }));
  if (typeof stream !== 'string') return wrong('stream', 'a stream of the catalogue');
  if (typeof from !== 'string' || typeof to !== 'string') return wrong(typeof from === 'string' ? 'to' : 'from', 'YYYY-MM-DD or YYYY-MM-DDTHH');
  if (store !== 'raw' && store !== 'rejected') return wrong('store', 'raw or rejected');
  if (typeof dryRun !== 'boolean') return wrong('dry_run', 'true or false');
  if (typeof dateByReceipt !== 'boolean') return wrong('date_by_receipt', 'true or false');
  return accepted({ stream, from, to, store, dryRun, dateByReceipt });
}
