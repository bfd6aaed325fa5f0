// A local run to be broken and examined: for the tests of the doctor.
import { resolve } from 'node:path';
import { afterEach } from 'vitest';
import { now, setOffset } from '../../emulators/clock.ts';
import { provision } from '../../scripts/provision.ts';
import { spawnLocalRun, type SpawnedRun } from '../../scripts/local/spawn-run.ts';
import { checksFor } from '../../scripts/doctor/checks.ts';
import { examine, type Examination } from '../../scripts/doctor/finding.ts';
import { makePatient } from '../../scripts/doctor/make-patient.ts';
import type { Patient } from '../../scripts/doctor/patient.ts';

export const TODAY = '2026-03-10';
const NOON = `${TODAY}T12:00:00Z`;

export type Hospital = {
  run: SpawnedRun;
  patient: Patient;
  examine: (changed?: Partial<Patient>) => Promise<Examination>;
  /** Kinds of what is found, in order; a check that could not be made fails the test. */
  kinds: (changed?: Partial<Patient>) => Promise<string[]>;
  sql: (query: string) => Promise<void>;
  /** Makes what is missing, as `npm start` does. */
  provision: () => Promise<void>;
  call: (name: string) => Promise<void>;
  moveClockTo: (instant: string) => void;
  close: () => Promise<void>;
};

export async function openHospital(): Promise<Hospital> {
  const run = await spawnLocalRun(['--now', NOON]);
  const where = { project: run.project, dataset: run.dataset, bucket: run.bucket, prefix: 'chiplog', location: 'US', name: 'the local run' };
  const patient = await makePatient({ where, region: 'europe-west1', local: { functions: run.functions, control: run.control, timeZone: 'UTC', nowMs: now(run.clock_file) } });
  const examineAs = (changed: Partial<Patient> = {}): Promise<Examination> => examine(checksFor({ ...patient, nowMs: now(run.clock_file), ...changed }));
  const call = async (name: string): Promise<void> => {
    const response = await fetch(run.functions[name]!, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${name} answered ${response.status}: ${text}`);
  };
  // The ledger is made by the rollover's first call.
  await call('rollover');
  return {
    run, patient, call,
    examine: examineAs,
    async kinds(changed) {
      const { findings, not_made: notMade } = await examineAs(changed);
      if (notMade.length > 0) throw new Error(`Not made: ${JSON.stringify(notMade)}`);
      for (const finding of findings) for (const text of [finding.where, finding.what, finding.why, finding.cure]) if (text === '' || text.includes('undefined')) throw new Error(`Half a finding: ${JSON.stringify(finding)}`);
      return findings.map(({ kind }) => kind);
    },
    sql: async (query) => void await run.bigquery.query({ query, defaultDataset: { datasetId: run.dataset, projectId: run.project } }),
    provision: () => provision({
      project: run.project, prefix: 'chiplog', dataset: run.dataset, bucket: run.bucket, retryAfterSeconds: 1, catalogueFile: resolve(import.meta.dirname, '../../schemas/streams.json'),
      writers: { bigquery: `${run.functions['write-bigquery']}/`, storage: `${run.functions['write-storage']}/` },
    }),
    moveClockTo: (instant) => setOffset(run.clock_file, Date.parse(instant) - Date.now()),
    close: async () => {
      await patient.close();
      await run.stop();
    },
  };
}

/** Takes what undoes a damage; it is done when the test has ended, whatever it found, the last one first. */
export function mendAfterEach(): (mend: () => Promise<unknown>) => void {
  const mending: (() => Promise<unknown>)[] = [];
  afterEach(async () => { for (const mend of mending.splice(0).reverse()) await mend(); });
  return (mend) => void mending.push(mend);
}
