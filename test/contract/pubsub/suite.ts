// The Pub/Sub suite: all its cases in one list, for the tests and for the tables in the docs.
import type { Suite } from '../contract.ts';
import { PUBLISH_CASES } from './publish.cases.ts';
import { PUBSUB_SURFACE } from './surface.ts';
import { openWorld, type PubSubWorld } from './world.ts';

export const PUBSUB_SUITE: Suite<PubSubWorld & { close(): Promise<void> }> = {
  service: 'pubsub', surface: PUBSUB_SURFACE, cases: [...PUBLISH_CASES],
  openWorld, closeWorld: (world) => world.close(),
};
