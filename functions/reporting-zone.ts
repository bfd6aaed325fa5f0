// The reporting time zone, fixed at first start: in go the dataset's labels and the setting, out comes whether they agree.
// Called by `maintain` (which writes the label) and by the writer. Two functions with two zones would put one event into two days.
import type { Dataset } from '@google-cloud/bigquery';
import { ingestError } from './errors.ts';
import { inTime } from './in-time.ts';
import { accepted, retry } from './outcome.ts';
import type { Outcome } from './outcome.ts';

export const TIME_ZONE_LABEL = 'chiplog_time_zone';

/** Label values hold lower-case letters, digits, `-` and `_`, at most 63; names of zones differ in more than case nowhere. */
export const labelOf = (timeZone: string): string => timeZone.toLowerCase().replaceAll('/', '--').replaceAll('+', '__plus');

export type LabelApi = {
  labels(): Promise<Record<string, string>>;
  setLabels(labels: Record<string, string>): Promise<void>;
};

export function labelApiOf(dataset: Dataset): LabelApi {
  return {
    async labels() {
      const [metadata] = await inTime(dataset.getMetadata(), 'reading the dataset');
      return (metadata as { labels?: Record<string, string> }).labels ?? {};
    },
    async setLabels(labels) {
      await inTime(dataset.setMetadata({ labels }) as Promise<unknown>, 'labelling the dataset');
    },
  };
}

/** Accepted when the dataset's zone is the setting's, or when it had none (with `write` it has from now on). */
export async function checkTimeZone(api: LabelApi, timeZone: string, { write }: { write: boolean }): Promise<Outcome<'same' | 'written' | 'unset'>> {
  const labels = await api.labels();
  const stored = labels[TIME_ZONE_LABEL];
  if (stored === labelOf(timeZone)) return accepted('same');
  if (stored !== undefined) return retry(ingestError('time_zone_changed', { stored, setting: labelOf(timeZone) }));
  if (!write) return accepted('unset');
  await api.setLabels({ ...labels, [TIME_ZONE_LABEL]: labelOf(timeZone) });
  return accepted('written');
}
