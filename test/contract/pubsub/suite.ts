// The Pub/Sub suite: all its cases in one list, for the tests and for the tables in the docs.
import type { Suite } from '../contract.ts';
import { ABSENT_CASES } from './absent.cases.ts';
import { FILTER_CASES } from './filters.cases.ts';
import { EXACTLY_ONCE_CASES, ORDERING_CASES } from './ordering.cases.ts';
import { PUBLISH_CASES } from './publish.cases.ts';
import { PULL_CASES } from './pull.cases.ts';
import { PUSH_ANSWER_CASES } from './push-answers.cases.ts';
import { PUSH_CASES } from './push.cases.ts';
import { RETRY_CASES } from './retry.cases.ts';
import { SEEK_CASES, SNAPSHOT_CASES } from './seek.cases.ts';
import { STREAMING_CASES } from './streaming.cases.ts';
import { SUBSCRIPTION_CASES } from './subscriptions.cases.ts';
import { PUBSUB_SURFACE } from './surface.ts';
import { TOPIC_CASES } from './topics.cases.ts';
import { UPDATE_CASES } from './updates.cases.ts';
import { openWorld, type PubSubWorld } from './world.ts';

const CASES = [
  ...TOPIC_CASES, ...SUBSCRIPTION_CASES, ...UPDATE_CASES, ...PUBLISH_CASES, ...PULL_CASES, ...STREAMING_CASES, ...RETRY_CASES, ...PUSH_CASES, ...PUSH_ANSWER_CASES,
  ...SEEK_CASES, ...SNAPSHOT_CASES, ...FILTER_CASES, ...ORDERING_CASES, ...EXACTLY_ONCE_CASES, ...ABSENT_CASES,
];

export const PUBSUB_SUITE: Suite<PubSubWorld & { close(): Promise<void> }> = {
  service: 'pubsub', surface: PUBSUB_SURFACE,
  // Those that need the service for themselves come last: the others then run all together.
  cases: [...CASES.filter(({ isAlone }) => isAlone !== true), ...CASES.filter(({ isAlone }) => isAlone === true)],
  openWorld, closeWorld: (world) => world.close(),
};
