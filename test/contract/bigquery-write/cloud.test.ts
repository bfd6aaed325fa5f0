import { runSuite } from '../contract.ts';
import { BIGQUERY_WRITE_SUITE } from './suite.ts';

runSuite(BIGQUERY_WRITE_SUITE, 'cloud');
