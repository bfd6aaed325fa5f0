// How `npm test` runs: every *.test.ts under test/, in Node, files in parallel on the machine's cores.
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Asks a real project, so only where one is named: npm run contract -- --against cloud --project P.
    exclude: process.env['CONTRACT_CLOUD_PROJECT'] === undefined ? ['test/contract/*/cloud.test.ts'] : [],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // vitest leaves one core free, which on two cores means one file after another; most files wait more than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Of the contract cases, which mostly wait for deadlines.
    maxConcurrency: 16,
    // Google's clients would look for a metadata server outside this machine.
    env: { METADATA_SERVER_DETECTION: 'none' },
    // The closing line stays last, alone, for machines that read it.
    reporters: ['default', './test/contract-table.ts', './test/closing-line.ts'],
  },
});
