// Each kind of damage to functions, topics and subscriptions, one by one, on a healthy local run: the doctor finds exactly that one, and
// nothing once it is mended.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../flow/tour.ts';
import { mendAfterEach, openHospital, type Hospital } from './hospital.ts';

let hospital: Hospital;
beforeAll(async () => { hospital = await openHospital(); });
afterAll(() => hospital?.close());
/** What undoes the damage, done after the test whatever it found. */
const after = mendAfterEach();

/** A fault in one of the services until the test has ended. */
async function order(service: string, plan: object): Promise<() => Promise<unknown>> {
  const faults = `${hospital.run.control[service]}/faults`;
  const answer = await fetch(faults, { method: 'POST', body: JSON.stringify(plan) });
  expect(answer.status, await answer.text()).toBe(200);
  const clear = (): Promise<unknown> => fetch(faults, { method: 'DELETE' });
  after(clear);
  return clear;
}

test('a healthy run has no finding, every check is made, and those that only a real project has are told', async () => {
  const { findings, not_made: notMade, not_here: notHere, checks } = await hospital.examine();
  expect({ findings, notMade }).toEqual({ findings: [], notMade: [] });
  expect(checks).toBeGreaterThan(30);
  expect(notHere.map(({ check }) => check)).toEqual(expect.arrayContaining(['services of the project', 'roles in the project', 'roles of Pub/Sub\'s own account', 'who may call collect', 'schedule of rollover']));
});

test('npm run doctor prints what it found with the cure, and its exit code says whether there was something', async () => {
  const script = resolve(import.meta.dirname, '../../scripts/doctor.ts');
  const doctor = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { cwd: hospital.run.folder, encoding: 'utf8' });
  const healthy = doctor('--json');
  expect({ status: healthy.status, healthy: (JSON.parse(healthy.stdout) as { healthy: boolean }).healthy }, healthy.stderr).toEqual({ status: 0, healthy: true });
  await hospital.run.pubsub.topic('chiplog-days').delete();
  after(hospital.provision);
  const ill = doctor();
  expect(ill.status).toBe(1);
  expect(ill.stdout).toMatch(/✗ chiplog-days: The topic does not exist\. \(topic_missing\)\n {4}.+\n {4}\$ npm start\n[\s\S]*: 1 finding\.\n$/);
  const nowhere = spawnSync(process.execPath, [script], { cwd: tmpdir(), encoding: 'utf8' });
  expect({ status: nowhere.status, told: nowhere.stderr }).toEqual({ status: 1, told: expect.stringContaining('npm start') });
});

describe('topics and subscriptions', () => {
  const PUSH = 'chiplog-events-to-bigquery';
  const subscription = (name: string) => hospital.run.pubsub.subscription(name);
  const anew = (name: string) => async (): Promise<void> => {
    await subscription(name).delete().catch(() => undefined);
    await hospital.provision();
  };

  test('a topic that is missing', async () => {
    await hospital.run.pubsub.topic('chiplog-days').delete();
    after(hospital.provision);
    expect(await hospital.kinds()).toEqual(['topic_missing']);
  });

  test('a topic that keeps nothing', async () => {
    await hospital.run.pubsub.topic('chiplog-days').delete();
    await hospital.run.pubsub.createTopic('chiplog-days');
    after(async () => { await hospital.run.pubsub.topic('chiplog-days').delete(); await hospital.provision(); });
    expect(await hospital.kinds()).toEqual(['topic_without_retention']);
  });

  test('a subscription that is missing', async () => {
    await subscription(PUSH).delete();
    after(hospital.provision);
    expect(await hospital.kinds()).toEqual(['subscription_missing']);
  });

  test('a subscription that was detached', async () => {
    await hospital.run.pubsub.detachSubscription(PUSH);
    after(anew(PUSH));
    expect(await hospital.kinds()).toEqual(['subscription_detached']);
  });

  test('a subscription that pushes elsewhere, or to nobody', async () => {
    await subscription(PUSH).modifyPushConfig({ pushEndpoint: 'http://127.0.0.1:1/' });
    after(hospital.provision);
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'endpoint_wrong', where: PUSH, what: expect.stringContaining('http://127.0.0.1:1/') }]);
    await subscription(PUSH).modifyPushConfig({});
    expect(await hospital.kinds()).toEqual(['endpoint_wrong']);
  });

  test.each([
    ['ack_deadline_wrong', { ackDeadlineSeconds: 10 }],
    ['subscription_expires', { expirationPolicy: { ttl: { seconds: 31 * 86_400 } } }],
    ['too_few_attempts', { deadLetterPolicy: { deadLetterTopic: 'projects/chiplog-local/topics/chiplog-events-undeliverable', maxDeliveryAttempts: 5 } }],
    ['dead_letter_missing', { deadLetterPolicy: null }],
    ['no_backoff', { retryPolicy: null }],
    ['no_backoff', { retryPolicy: { minimumBackoff: { seconds: 0 }, maximumBackoff: { seconds: 600 } } }],
    ['subscription_kept_too_short', { messageRetentionDuration: { seconds: 600 } }],
  ])('%s', async (kind, change) => {
    await subscription(PUSH).setMetadata(change as never);
    after(anew(PUSH));
    expect(await hospital.kinds()).toEqual([kind]);
  });

  test('a subscription that takes only some messages', async () => {
    const [{ pushConfig, ackDeadlineSeconds, expirationPolicy, retryPolicy, deadLetterPolicy, messageRetentionDuration }] = await subscription(PUSH).getMetadata();
    await subscription(PUSH).delete();
    await hospital.run.pubsub.createSubscription('chiplog-events', PUSH, { pushConfig: pushConfig!, ackDeadlineSeconds: ackDeadlineSeconds!, expirationPolicy: expirationPolicy!, retryPolicy: retryPolicy!, deadLetterPolicy: deadLetterPolicy!, messageRetentionDuration: messageRetentionDuration as never, filter: 'attributes:nothing' });
    after(anew(PUSH));
    expect(await hospital.kinds()).toEqual(['subscription_filters']);
  });

  test('a subscription that was made anew on another stream\'s topic', async () => {
    const [{ pushConfig, ackDeadlineSeconds, expirationPolicy, retryPolicy, deadLetterPolicy, messageRetentionDuration }] = await subscription(PUSH).getMetadata();
    await subscription(PUSH).delete();
    await hospital.run.pubsub.createSubscription('chiplog-inference', PUSH, { pushConfig: pushConfig!, ackDeadlineSeconds: ackDeadlineSeconds!, expirationPolicy: expirationPolicy!, retryPolicy: retryPolicy!, deadLetterPolicy: deadLetterPolicy!, messageRetentionDuration: messageRetentionDuration as never });
    after(anew(PUSH));
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'subscription_elsewhere', where: PUSH, what: expect.stringContaining('chiplog-inference') }]);
  });

  test('undeliverable messages that nobody keeps', async () => {
    await subscription('chiplog-events-undeliverable').delete();
    after(hospital.provision);
    expect(await hospital.kinds()).toEqual(['undeliverable_without_subscription']);
  });

  test('undeliverable messages that are kept for a day only', async () => {
    await subscription('chiplog-events-undeliverable').setMetadata({ messageRetentionDuration: { seconds: 86_400 } } as never);
    after(anew('chiplog-events-undeliverable'));
    expect(await hospital.kinds()).toEqual(['undeliverable_kept_too_short']);
  });

  test('undeliverable messages that wait for a person', async () => {
    await hospital.run.pubsub.topic('chiplog-events-undeliverable').publishMessage({ data: Buffer.from('lost') });
    after(anew('chiplog-events-undeliverable'));
    const { findings } = await hospital.examine();
    expect(findings).toMatchObject([{ kind: 'undeliverable_messages', where: 'chiplog-events-undeliverable', what: expect.stringMatching(/^1 messages/) }]);
  });
});

test('a function that does not answer', async () => {
  expect(await hospital.kinds({ local: { functions: { ...hospital.run.functions, replay: 'http://127.0.0.1:1' } } })).toEqual(['function_silent']);
});

test('a check that can\'t be made is told as such, and the others are made', async () => {
  await order('bigquery', { method: 'tables.list', kind: 'fail', status: '403', times: null });
  await hospital.run.bigquery.dataset(hospital.run.dataset).setMetadata({ defaultTableExpirationMs: String(86_400_000) });
  after(() => hospital.run.bigquery.dataset(hospital.run.dataset).setMetadata({ defaultTableExpirationMs: null } as never));
  const { findings, not_made: notMade } = await hospital.examine();
  expect(findings.map(({ kind }) => kind)).toEqual(['tables_expire']);
  expect(notMade.map(({ check }) => check)).toEqual(expect.arrayContaining(['tables of today and tomorrow', 'wildcard events_*', 'days of events']));
  expect(notMade[0]!.because).toMatch(/403/);
});

// The last one: it moves the clock.
test('messages that wait for a writer', async () => {
  const clear = await order('pubsub', { method: 'Push', kind: 'fail', times: null });
  const { run } = hospital;
  const answer = await fetch(`${run.collector_url}/v1/events`, { method: 'POST', headers: { authorization: `Bearer ${run.write_key}`, 'content-type': 'application/json' }, body: JSON.stringify({ user_pseudo_id: 'me', events: [{ event_id: '0198f2f0-5a3c-7cc1-9b1f-3f1c2d4e5f60', event_name: 'hello', event_timestamp: Date.parse('2026-03-10T12:00:00Z') * 1_000 }] }) });
  expect(answer.status).toBe(200);
  expect(await hospital.kinds()).toEqual([]);
  hospital.moveClockTo('2026-03-10T12:25:00Z');
  const { findings } = await eventually('the clock', async () => { const seen = await hospital.examine(); return seen.findings.length > 0 && seen; });
  expect(findings).toMatchObject(['chiplog-events-to-bigquery', 'chiplog-events-to-storage'].map((where) => ({ kind: 'backlog_old', where, what: expect.stringMatching(/^1 messages wait, the oldest for 2\d minutes/) })));
  await clear();
  await eventually('delivered', async () => (await hospital.examine()).findings.length === 0, 60);
});
