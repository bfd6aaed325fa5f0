import { runSuite } from '../contract.ts';
import { BIGQUERY_SUITE } from './suite.ts';

runSuite(BIGQUERY_SUITE, 'independent');
