import { runSuite } from '../contract.ts';
import { PUBSUB_SUITE } from './suite.ts';

runSuite(PUBSUB_SUITE, 'ours');
