// How `npm test` runs: every *.test.ts under test/, in Node, files in parallel on the machine's cores.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    reporters: ['default', './test/closing-line.ts'],
  },
});
