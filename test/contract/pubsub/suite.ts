// The Pub/Sub suite: all its cases in one list, for the tests and for the tables in the docs.
import type { Suite } from '../contract.ts';
import { ABSENT_CASES } from './absent.cases.ts';
import { FAULT_CASES } from './faults.cases.ts';
import { FILTER_CASES } from './filters.cases.ts';
import { EXACTLY_ONCE_CASES, ORDERING_CASES } from './ordering.cases.ts';
import { PUBLISH_CASES } from './publish.cases.ts';
import { PULL_CASES } from './pull.cases.ts';
import { PUSH_ANSWER_CASES } from './push-answers.cases.ts';
import { PUSH_CASES } from './push.cases.ts';
import { RESTART_CASES } from './restart.cases.ts';
import { RETRY_CASES } from './retry.cases.ts';
import { SEEK_CASES } from './seek.cases.ts';
import { SNAPSHOT_CASES } from './snapshots.cases.ts';
import { STREAM_REFUSAL_CASES } from './stream-refusals.cases.ts';
import { STREAMING_CASES } from './streaming.cases.ts';
import { SUBSCRIPTION_CASES } from './subscriptions.cases.ts';
import { PUBSUB_SURFACE } from './surface.ts';
import { TOPIC_CASES } from './topics.cases.ts';
import { UPDATE_CASES } from './updates.cases.ts';
import { openWorld, type PubSubWorld } from './world.ts';

const CASES = [
  ...TOPIC_CASES, ...SUBSCRIPTION_CASES, ...UPDATE_CASES, ...PUBLISH_CASES, ...PULL_CASES, ...STREAMING_CASES, ...STREAM_REFUSAL_CASES, ...RETRY_CASES, ...PUSH_CASES, ...PUSH_ANSWER_CASES,
  ...SEEK_CASES, ...SNAPSHOT_CASES, ...FILTER_CASES, ...ORDERING_CASES, ...EXACTLY_ONCE_CASES, ...ABSENT_CASES, ...FAULT_CASES,
];

export const PUBSUB_SUITE: Suite<PubSubWorld & { close(): Promise<void> }> = {
  service: 'pubsub', surface: PUBSUB_SURFACE,
  // Together those that mind nobody, then one by one those that move the clock, then together those that share a kill: the ones that are alone
  // stand between the two companies.
  cases: [...CASES.filter(({ isAlone }) => isAlone !== true), ...CASES.filter(({ isAlone }) => isAlone === true), ...RESTART_CASES],
  openWorld, closeWorld: (world) => world.close(),
};
