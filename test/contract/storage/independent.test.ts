import { runSuite } from '../contract.ts';
import { STORAGE_SUITE } from './suite.ts';

runSuite(STORAGE_SUITE, 'independent');
